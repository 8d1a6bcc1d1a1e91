import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const syntax = 'no-restricted-syntax';
const globals = 'no-restricted-globals';

/** File, code, and the rules of ESLint that must refuse it: none means that it is allowed. */
const syntaxes: [filePath: string, code: string, ...rules: string[]][] = [
  ['src/token/a.ts', `export * from './b.js';`, syntax],
  ['src/token/a.ts', `await import('cross-fetch');`, syntax],
  ['src/token/a.ts', `await fetch('/');`, globals],
  ['src/token/a.ts', `await globalThis.fetch('/');`, globals],
  ['src/token/a.ts', `window.addEventListener('online', f);`, globals],
  ['src/token/a.ts', `document.addEventListener('visibilitychange', f);`, globals],
  ['src/token/a.ts', `process.exit();`, globals],
  ['src/token/a.ts', `setTimeout(f, 1);`, globals],
  ['src/token/a.ts', `globalThis.setInterval(f, 1);`, globals],
  ['src/token/a.ts', `performance.now();`, globals],
  ['src/token/a.ts', `Date.now();`, 'no-restricted-properties'],
  ['src/token/a.ts', `new Date();`, syntax],
  ['src/token/a.ts', `scheduler.now(); Date.parse(text); new Date(text); new AbortController();`],
  ['src/internal/a.ts', `setTimeout(f, 1);`],
  ['src/internal/a.ts', `process.geteuid();`, globals],
  ['src/oauth/a.ts', `process.exit();`, globals],
  ['src/http/a.ts', `globalThis.process.exit();`],
  ['src/file/a.ts', `process.exit();`],
  ['src/http/a.ts', `await fetch('/');`],
  ['src/http/a.ts', `await import('cross-fetch');`, syntax],
  ['src/http/transport.ts', `await import('cross-fetch');`, syntax],
  ['src/http/transport.ts', `const load = (name: string) => import(name);`],
  ['src/http/transport.ts', `await import('undici');`, syntax],
  ['src/http/transport.browser.ts', `await import('cross-fetch');`, syntax],
  ['src/oauth/a.ts', `await import('oauth4webapi');`],
  ['src/oauth/a.ts', `await import('../http/b.js');`, syntax],
  ['src/testing/a.ts', `await import('node:http');`, syntax],
];

/** File, code, and the rules on imports that must refuse it: none means that it is allowed. */
const imports: [filePath: string, code: string, ...rules: string[]][] = [
  [
    'src/token/a.ts',
    `import { timer } from 'rxjs'; import { b } from './b.js'; import { c } from '../internal/c.js'; import { D } from '../errors.js';`,
  ],
  ['src/token/a.ts', `import { b } from '../http/b.js';`, 'token-imports'],
  ['src/token/a.ts', `import type { B } from '../http/b.js';`, 'token-imports'],
  ['src/token/a.ts', `export { b } from '../http/b.js';`, 'token-imports'],
  ['src/token/a.ts', `export type B = import('../http/b.js').B;`, 'token-imports'],
  ['src/token/a.ts', `export const b = await import('../http/b.js');`, 'token-imports'],
  ['src/token/a.ts', `import { b } from '../oauth/b.js';`, 'token-imports'],
  ['src/token/a.ts', `import { b } from '../../src/http/b.js';`, 'token-imports'],
  ['src/token/a.ts', `import { readFile } from 'node:fs';`, 'token-imports'],
  ['src/token/a.ts', `import { readFile } from 'fs';`, 'token-imports'],
  ['src/token/a.ts', `import fetch from 'cross-fetch';`, 'cross-fetch-in-transport', 'token-imports'],
  ['src/token/a.ts', `import { None } from 'oauth4webapi';`, 'token-imports'],
  ['src/token/a.ts', `import { webSocket } from 'rxjs/webSocket';`, 'token-imports'],
  ['src/token/a.ts', `import { createFetch } from 'rx-fresh-token';`, 'token-imports'],
  ['src/token/a.ts', `import { b } from './index.js';`, 'no-index'],
  [
    'src/token/decisions/a.ts',
    `import { b } from './b.js'; import type { C } from '../c.js'; import type { Observable } from 'rxjs';`,
  ],
  ['src/token/decisions/a.ts', `import { timer } from 'rxjs';`, 'decisions-are-pure'],
  ['src/token/decisions/a.ts', `import { b } from '../pipeline/b.js';`, 'decisions-are-pure'],
  ['src/token/pipeline/a.ts', `import { b } from '../decisions/b.js'; import { timer } from 'rxjs';`],
  ['src/token/pipeline/a.ts', `import { b } from '../requests/b.js';`, 'pipeline-imports'],

  ['src/internal/a.ts', `import { timer } from 'rxjs'; import { b } from './b.js';`],
  ['src/internal/a.ts', `import { b } from '../token/b.js';`, 'internal-imports'],
  ['src/internal/a.ts', `import { B } from '../errors.js';`, 'internal-imports'],
  ['src/internal/a.ts', `import type * as Fs from 'node:fs';`],
  ['src/internal/a.ts', `import { promises } from 'node:fs';`, 'internal-imports-types'],
  ['src/internal/a.ts', `import type { Server } from 'node:http';`, 'internal-imports'],
  ['src/errors.ts', `import { b } from './internal/b.js'; import { c } from './answers/c.js';`],
  [
    'src/answers/a.ts',
    `import { b } from '../internal/b.js'; import { C } from '../errors.js'; import type { D } from '../token/d.js';`,
  ],
  ['src/answers/a.ts', `import { b } from '../token/b.js';`, 'answers-imports-types'],
  ['src/answers/a.ts', `import { b } from '../http/b.js';`, 'answers-imports'],
  ['src/errors.ts', `import { b } from './token/b.js';`, 'errors-imports'],

  ['src/http/a.ts', `import { b } from '../token/b.js'; import { c } from './c.js';`],
  ['src/http/a.ts', `import { b } from '../oauth/b.js';`, 'http-imports'],
  ['src/http/a.ts', `import { request } from 'node:http';`, 'http-imports'],
  ['src/http/a.ts', `import fetch from 'cross-fetch';`, 'cross-fetch-in-transport'],
  ['src/http/transport.ts', `export const loaded: typeof import('cross-fetch') = await import('cross-fetch');`],
  ['src/http/transport.ts', `export let loaded: typeof import('undici');`, 'http-imports'],

  [
    'src/oauth/a.ts',
    `import { None } from 'oauth4webapi'; import { B } from '../errors.js'; import type { C } from '../token/c.js';`,
  ],
  ['src/oauth/a.ts', `import { readFile } from 'node:fs';`, 'oauth-imports'],
  ['src/oauth/a.ts', `export let b: typeof import('../http/b.js');`, 'oauth-imports'],
  ['src/oauth/a.ts', `import { b } from '../token/b.js';`, 'oauth-imports-types'],
  ['src/oauth/a.ts', `import type { B } from '../http/b.js';`, 'oauth-imports'],

  [
    'src/testing/a.ts',
    `import type { Server } from 'node:http'; import { timer } from 'rxjs'; import { b } from '../token/b.js';`,
  ],
  ['src/testing/a.ts', `import { b } from '../http/b.js';`, 'testing-imports'],
  ['src/testing/a.ts', `import { createServer } from 'node:http';`, 'testing-imports-types'],
  ['src/testing/a.ts', `import { marbles } from 'rxjs-marbles/jest';`, 'testing-imports'],
  ['src/testing/a.ts', `import { TestScheduler } from 'rxjs/testing';`, 'testing-imports'],
  ['src/testing/a.ts', `import { b } from '../oauth/b.js';`, 'testing-imports'],
  ['src/http/a.ts', `import { b } from '../testing/b.js';`, 'http-imports'],
  ['src/oauth/a.ts', `import { b } from '../testing/index.js';`, 'no-index', 'oauth-imports'],

  [
    'src/index.ts',
    `export { b } from './token/b.js'; export { c } from './http/c.js'; export { D } from './errors.js';`,
  ],
  ['src/index.ts', `export { b } from './oauth/b.js';`, 'root-exports'],
  ['src/index.ts', `export { b } from './internal/b.js';`, 'root-exports'],
  ['src/index.ts', `export { b } from './oauth/index.js';`, 'no-index', 'root-exports'],
  ['src/oauth/index.ts', `export { b } from './b.js';`],
  ['src/news/a.ts', `import { b } from '../token/b.js';`, 'folder-without-border'],

  ...(['angular', 'axios', 'redis', 'tabs', 'nest', 'pool', 'otel', 'stores', 'file'] as const).flatMap(
    (folder): typeof imports => [
      [`src/${folder}/a.ts`, `import { b } from '../token/b.js'; import { timer } from 'rxjs';`],
      [`src/${folder}/a.ts`, `import { b } from '../http/b.js';`, `${folder}-imports`],
      [`src/${folder}/a.ts`, `import { b } from '../oauth/b.js';`, `${folder}-imports`],
    ],
  ),
  ...(['redis', 'tabs', 'file'] as const).map((folder): (typeof imports)[number] => [
    `src/${folder}/a.ts`,
    `import { b } from '../stores/b.js';`,
  ]),
  ['src/token/a.ts', `import { b } from '../stores/b.js';`, 'token-imports'],
  ...(['angular', 'axios'] as const).flatMap((folder): typeof imports => [
    [
      `src/${folder}/a.ts`,
      `import { b } from '../http/authorization.js'; import { c } from '../http/destinations.js'; import { d } from '../http/requestBody.js';`,
    ],
    [`src/${folder}/a.ts`, `import { b } from '../http/outgoingRequest.js';`, `${folder}-imports`],
  ]),
  [
    'src/connect/a.ts',
    `import { createParser } from 'eventsource-parser'; import { b } from '../token/b.js'; import { c } from '../http/c.js'; import { d } from '../internal/d.js'; import { E } from '../errors.js'; import { f } from './f.js';`,
  ],
  ['src/connect/a.ts', `import { WebSocket } from 'ws';`, 'connect-imports'],
  ['src/connect/a.ts', `import { b } from '../oauth/b.js';`, 'connect-imports'],
  ['src/connect/a.ts', `import { webSocket } from 'rxjs/webSocket';`, 'connect-imports'],
  [
    'src/file/a.ts',
    `import { watch } from 'node:fs'; import { join } from 'node:path'; import { uptime } from 'node:os'; import { randomUUID } from 'node:crypto'; import { c } from '../internal/c.js'; import { D } from '../errors.js';`,
  ],
  ['src/file/a.ts', `import { createServer } from 'node:http';`, 'file-imports'],
  ['src/file/a.ts', `import { b } from '../redis/b.js';`, 'file-imports'],
  [
    'src/proxy/a.ts',
    `import { createServer } from 'node:http'; import { b } from '../http/createFetch.js'; import { c } from '../token/c.js'; import { D } from '../errors.js';`,
  ],
  ['src/proxy/a.ts', `import { b } from '../http/outgoingRequest.js';`, 'proxy-imports'],
  ['src/proxy/a.ts', `import { b } from '../oauth/b.js';`, 'proxy-imports'],
  ['src/proxy/a.ts', `import { request } from 'undici';`, 'proxy-imports'],
  ['src/proxy/a.ts', `import { b } from '../cli/b.js';`, 'proxy-imports'],
  [
    'src/cli/a.ts',
    `import { parseArgs } from 'node:util'; import { b } from '../proxy/b.js'; import { c } from '../oauth/c.js'; import { d } from '../file/d.js';`,
  ],
  ['src/cli/a.ts', `import { program } from 'commander';`, 'cli-imports'],
  ['src/otel/a.ts', `import type { Meter } from '@opentelemetry/api';`],
  ['src/otel/a.ts', `import { metrics } from '@opentelemetry/api';`, 'otel-imports-types'],
  ['src/otel/a.ts', `import type { Channel } from 'node:diagnostics_channel';`],
  ['src/otel/a.ts', `import { channel } from 'node:diagnostics_channel';`, 'otel-imports-types'],
  [
    'src/angular/a.ts',
    `import { inject } from '@angular/core'; import type { HttpContext } from '@angular/common/http';`,
  ],
  ['src/axios/a.ts', `import { inject } from '@angular/core';`, 'axios-imports'],
  ['src/axios/a.ts', `import type { AxiosInstance } from 'axios';`],
  ['src/axios/a.ts', `import { b } from '../nest/b.js';`, 'axios-imports'],
  ['src/redis/a.ts', `import type { RedisClientType } from 'redis';`, 'redis-imports'],
  [
    'src/nest/a.ts',
    `import { Inject } from '@nestjs/common'; import { ModuleRef } from '@nestjs/core'; import axios from 'axios'; import { attachToken } from '../axios/attachToken.js';`,
  ],
  ['src/nest/a.ts', `import { ConfigService } from '@nestjs/config';`, 'nest-imports'],
  ['src/nest/a.ts', `import { trailFrom } from '../axios/redirects.js';`, 'nest-imports'],

  [
    'examples/a.ts',
    `import { createFetch } from 'rx-fresh-token'; import { clientCredentials } from 'rx-fresh-token/oauth';`,
  ],
  ['examples/demo/a.ts', `import { b } from '../../src/token/b.js';`, 'examples-by-name'],
  ['bench/a.ts', `import { b } from '../src/token/b.js';`, 'examples-by-name'],
];

/** Two files that need each other, if only for a type. */
const circle = {
  filePath: 'src/pool/one.ts',
  code: `import type { B } from './two.js'; export type A = B;`,
  others: { 'src/pool/two.ts': `import { A } from './one.js'; export type B = A;` },
};

/** Rules that know types need a file of the project. */
const typeAware: [code: string, ...rules: string[]][] = [
  [`import { of } from 'rxjs'; of(1);`, 'rxjs-x/no-floating-observables'],
  // What the user of this library writes first is not forbidden: the docs say what it lacks.
  [
    `import { type Observable, shareReplay } from 'rxjs'; export const share = (a$: Observable<number>) => a$.pipe(shareReplay(1));`,
  ],
  [
    `import { type Observable, shareReplay, takeUntil } from 'rxjs'; export const share = (a$: Observable<number>, b$: Observable<number>) => a$.pipe(shareReplay(1), takeUntil(b$));`,
    'rxjs-x/no-sharereplay-before-takeuntil',
  ],
  [`Promise.resolve(1);`, '@typescript-eslint/no-floating-promises'],
  [
    `export const a = JSON.parse('') as unknown; export const b: string = JSON.parse('');`,
    '@typescript-eslint/no-unsafe-assignment',
  ],
  [`export const a: number[] = []; export const b = a.at(0) ?? 0;`],
];

/** What a script of spec/setup answers, in a process of its own. */
function answerOf(script: string, question: unknown): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(__dirname, 'setup', script)], {
    cwd: join(__dirname, '..'),
    input: JSON.stringify(question),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const rows = (table: typeof imports) =>
  table.map(([filePath, code, ...rules], index) => ({ filePath, code, rules: rules.sort(), index }));

/** Of too many lines. */
const lengths: [lines: number, code: string, ...rules: string[]][] = [
  [200, 'f();\n'.repeat(199) + 'f();'],
  [201, 'f();\n'.repeat(200) + 'f();', 'max-lines'],
  [60, `f(() => {\n${'g();\n'.repeat(58)}});`],
  [61, `f(() => {\n${'g();\n'.repeat(59)}});`, 'max-lines-per-function'],
];

describe('lint', () => {
  let broken: string[][] = [];

  beforeAll(() => {
    broken = answerOf('lintSnippets.mjs', [
      ...syntaxes.map(([filePath, code]) => ({ filePath, code })),
      ...typeAware.map(([code]) => ({ filePath: 'src/errors.ts', code, types: true })),
      ...lengths.map(([, code]) => ({ filePath: 'src/redis/a.ts', code })),
    ]) as string[][];
  }, 60_000);

  it.each(lengths.map(([lines, , ...rules], index) => ({ lines, rules, index })))(
    '$lines lines of any file in src break $rules',
    ({ rules, index }) => {
      expect(broken[syntaxes.length + typeAware.length + index]).toEqual(rules);
    },
  );

  it.each(rows(syntaxes))('$filePath: $code breaks $rules', ({ rules, index }) => {
    expect(broken[index]).toEqual(rules);
  });

  describe('knows types', () => {
    it.each(typeAware.map(([code, ...rules], index) => ({ code, rules, index })))(
      '$code breaks $rules',
      ({ rules, index }) => {
        expect(broken[syntaxes.length + index]).toEqual(rules);
      },
    );
  });
});

describe('the borders between folders', () => {
  let cruised = { rules: [] as string[], broken: [] as string[][] };

  beforeAll(() => {
    const plants = [...imports.map(([filePath, code]) => ({ filePath, code })), circle];
    cruised = answerOf('cruisePlants.mjs', plants) as typeof cruised;
  }, 60_000);

  it.each(rows(imports))('$filePath: $code breaks $rules', ({ rules, index }) => {
    expect(cruised.broken[index]).toEqual(rules);
  });

  it('should find two files that import each other', () => {
    expect(cruised.broken[imports.length]).toEqual(['no-circular']);
  });

  it('should have a planted import for each rule', () => {
    expect(new Set(cruised.broken.flat())).toEqual(new Set(cruised.rules));
  });
});

describe('the files of src', () => {
  const src = join(__dirname, '../src');
  const paths = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

  it('should say in their first line what they are for', () => {
    const firstLine = (path: string) =>
      readFileSync(join(src, path), 'utf8')
        .replace(/^#!.*\n/, '')
        .split('\n', 1)[0];
    expect(paths.filter((path) => !/^\/\*\* .+\. \*\/$/.test(firstLine(path) ?? ''))).toEqual([]);
    expect(paths).toContain('cli/main.ts');
  });
});
