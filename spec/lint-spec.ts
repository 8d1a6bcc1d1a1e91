import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const imports = '@typescript-eslint/no-restricted-imports';
const everywhere = 'no-restricted-imports';
const syntax = 'no-restricted-syntax';
const globals = 'no-restricted-globals';

/** File, code, and the rules that must refuse it: none means that it is allowed. */
const boundaries: [filePath: string, code: string, ...rules: string[]][] = [
  [
    'src/token/a.ts',
    `import { timer } from 'rxjs'; import { b } from './b.js'; import { c } from '../internal/c.js'; import { D } from '../errors.js';`,
  ],
  ['src/token/a.ts', `import { b } from '../http/b.js';`, imports],
  ['src/token/a.ts', `import type { B } from '../http/b.js';`, imports],
  ['src/token/a.ts', `export { b } from '../http/b.js';`, imports],
  ['src/token/a.ts', `import { b } from '../oauth/b.js';`, imports],
  ['src/token/a.ts', `import { b } from '../../src/http/b.js';`, imports],
  ['src/token/a.ts', `import { readFile } from 'node:fs';`, imports],
  ['src/token/a.ts', `import { readFile } from 'fs';`, imports],
  ['src/token/a.ts', `import fetch from 'cross-fetch';`, imports, everywhere],
  ['src/token/a.ts', `import { None } from 'oauth4webapi';`, imports],
  ['src/token/a.ts', `import { createFetch } from 'rx-fresh-token';`, imports],
  ['src/token/a.ts', `import { b } from './index.js';`, everywhere],
  ['src/token/a.ts', `export * from './b.js';`, syntax],
  ['src/token/a.ts', `type B = import('../http/b.js').B;`, syntax],
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

  ['src/internal/a.ts', `import { timer } from 'rxjs'; import { b } from './b.js'; setTimeout(b, 1);`],
  ['src/internal/a.ts', `import { b } from '../token/b.js';`, imports],
  ['src/internal/a.ts', `import type * as Fs from 'node:fs';`],
  ['src/internal/a.ts', `import { promises } from 'node:fs';`, imports],
  ['src/internal/a.ts', `import type { Server } from 'node:http';`, imports],
  ['src/errors.ts', `import { b } from './internal/b.js';`],
  ['src/errors.ts', `import { b } from './token/b.js';`, imports],

  ['src/http/a.ts', `import { b } from '../token/b.js'; import { c } from './c.js'; await fetch('/');`],
  ['src/http/a.ts', `import { b } from '../oauth/b.js';`, imports],
  ['src/http/a.ts', `import { request } from 'node:http';`, imports],
  ['src/http/a.ts', `import fetch from 'cross-fetch';`, everywhere],
  ['src/http/a.ts', `await import('cross-fetch');`, syntax],
  ['src/http/transport.ts', `let loaded: typeof import('cross-fetch') = await import('cross-fetch');`],
  ['src/http/transport.ts', `let loaded: typeof import('undici');`, syntax],
  ['src/http/transport.ts', `await import('undici');`, syntax],
  ['src/http/transport.browser.ts', `await import('cross-fetch');`, syntax],

  [
    'src/oauth/a.ts',
    `import { None } from 'oauth4webapi'; import { B } from '../errors.js'; import type { C } from '../token/c.js';`,
  ],
  ['src/oauth/a.ts', `await import('oauth4webapi');`],
  ['src/oauth/a.ts', `let fs: typeof import('node:fs');`],
  ['src/oauth/a.ts', `import { readFile } from 'node:fs';`, imports],
  ['src/oauth/a.ts', `let b: typeof import('../http/b.js');`, syntax],
  ['src/oauth/a.ts', `import { b } from '../token/b.js';`, imports],
  ['src/oauth/a.ts', `import type { B } from '../http/b.js';`, imports],
  ['src/oauth/a.ts', `await import('../http/b.js');`, syntax],

  [
    'src/testing/a.ts',
    `import type { Server } from 'node:http'; import { timer } from 'rxjs'; import { b } from '../token/b.js';`,
  ],
  ['src/testing/a.ts', `import { createServer } from 'node:http';`, imports],
  ['src/testing/a.ts', `await import('node:http');`, syntax],
  ['src/testing/a.ts', `import { marbles } from 'rxjs-marbles/jest';`, imports],
  ['src/testing/a.ts', `import { TestScheduler } from 'rxjs/testing';`, imports],
  ['src/testing/a.ts', `import { b } from '../oauth/b.js';`, imports],
  ['src/http/a.ts', `import { b } from '../testing/b.js';`, imports, everywhere],
  ['src/oauth/a.ts', `import { b } from '../testing/index.js';`, imports, everywhere],

  [
    'src/index.ts',
    `export { b } from './token/b.js'; export { c } from './http/c.js'; export { D } from './errors.js';`,
  ],
  ['src/index.ts', `export { b } from './oauth/b.js';`, imports],
  ['src/index.ts', `export { b } from './internal/b.js';`, imports],
  ['src/index.ts', `export { b } from './oauth/index.js';`, imports, everywhere],
  ['src/index.ts', `export { b } from './testing/b.js';`, imports, everywhere],
  ['src/oauth/index.ts', `export { b } from './b.js';`],

  ...(['angular', 'axios', 'redis', 'tabs'] as const).flatMap((folder): typeof boundaries => [
    [`src/${folder}/a.ts`, `import { b } from '../token/b.js'; import { authorize } from '../http/destinations.js';`],
    [`src/${folder}/a.ts`, `import { b } from '../http/b.js';`, imports],
    [`src/${folder}/a.ts`, `import { b } from '../oauth/b.js';`, imports],
  ]),
  ...(['angular', 'axios'] as const).flatMap((folder): typeof boundaries => [
    [`src/${folder}/a.ts`, `import { copyOfBody } from '../http/requestBody.js';`],
    [`src/${folder}/a.ts`, `import { b } from '../http/outgoingRequest.js';`, imports],
  ]),
  [
    'src/connect/a.ts',
    `import { createParser } from 'eventsource-parser'; import { b } from '../token/b.js'; import { c } from '../http/c.js'; import { d } from '../internal/d.js'; import { E } from '../errors.js'; import { f } from './f.js'; import { timer } from 'rxjs';`,
  ],
  ['src/connect/a.ts', `import { WebSocket } from 'ws';`, imports],
  ['src/connect/a.ts', `import { b } from '../oauth/b.js';`, imports],
  ['src/connect/a.ts', `import { webSocket } from 'rxjs/webSocket';`, imports],
  [
    'src/file/a.ts',
    `import { watch } from 'node:fs'; import { join } from 'node:path'; import { uptime } from 'node:os'; import { randomUUID } from 'node:crypto'; import { b } from '../token/b.js'; import { c } from '../internal/c.js'; import { D } from '../errors.js'; import { timer } from 'rxjs';`,
  ],
  ['src/file/a.ts', `import { createServer } from 'node:http';`, imports],
  ['src/file/a.ts', `import { b } from '../oauth/b.js';`, imports],
  ['src/file/a.ts', `import { b } from '../redis/b.js';`, imports],
  [
    'src/proxy/a.ts',
    `import { createServer } from 'node:http'; import { b } from '../http/createFetch.js'; import { c } from '../token/c.js'; import { D } from '../errors.js';`,
  ],
  ['src/proxy/a.ts', `import { b } from '../http/outgoingRequest.js';`, imports],
  ['src/proxy/a.ts', `import { b } from '../oauth/b.js';`, imports],
  ['src/proxy/a.ts', `import { request } from 'undici';`, imports],
  [
    'src/cli/a.ts',
    `import { parseArgs } from 'node:util'; import { b } from '../proxy/b.js'; import { c } from '../oauth/c.js'; import { d } from '../file/d.js';`,
  ],
  ['src/cli/a.ts', `import { program } from 'commander';`, imports],
  ['src/proxy/a.ts', `import { b } from '../cli/b.js';`, imports],
  [
    'src/pool/a.ts',
    `import { b } from '../token/b.js'; import { c } from '../internal/c.js'; import { d } from './d.js';`,
  ],
  ['src/pool/a.ts', `import { b } from '../oauth/b.js';`, imports],
  ['src/pool/a.ts', `import { b } from '../http/b.js';`, imports],
  ['src/otel/a.ts', `import type { Meter } from '@opentelemetry/api'; import { b } from '../token/b.js';`],
  ['src/otel/a.ts', `import { metrics } from '@opentelemetry/api';`, imports],
  ['src/otel/a.ts', `import { channel } from 'node:diagnostics_channel';`, imports],
  [
    'src/angular/a.ts',
    `import { inject } from '@angular/core'; import type { HttpContext } from '@angular/common/http';`,
  ],
  ['src/axios/a.ts', `import { inject } from '@angular/core';`, imports],
  ['src/axios/a.ts', `import type { AxiosInstance } from 'axios';`],
  ['src/redis/a.ts', `import type { RedisClientType } from 'redis';`],
  [
    'src/nest/a.ts',
    `import { Inject } from '@nestjs/common'; import { ModuleRef } from '@nestjs/core'; import axios from 'axios'; import { attachToken } from '../axios/attachToken.js'; import { b } from '../token/b.js';`,
  ],
  ['src/nest/a.ts', `import { ConfigService } from '@nestjs/config';`, imports],
  ['src/nest/a.ts', `import { trailFrom } from '../axios/redirects.js';`, imports],
  ['src/nest/a.ts', `import { b } from '../http/b.js';`, imports],
  ['src/nest/a.ts', `import { b } from '../oauth/b.js';`, imports],
  ['src/axios/a.ts', `import { b } from '../nest/b.js';`, imports],

  [
    'examples/a.ts',
    `import { createFetch } from 'rx-fresh-token'; import { clientCredentials } from 'rx-fresh-token/oauth';`,
  ],
  ['examples/demo/a.ts', `import { b } from '../../src/token/b.js';`, everywhere],
];

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

describe('lint', () => {
  let broken: string[][] = [];

  beforeAll(() => {
    const snippets = [
      ...boundaries.map(([filePath, code]) => ({ filePath, code })),
      ...typeAware.map(([code]) => ({ filePath: 'src/errors.ts', code, types: true })),
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(__dirname, 'setup/lintSnippets.mjs')], {
      cwd: join(__dirname, '..'),
      input: JSON.stringify(snippets),
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    broken = JSON.parse(stdout) as string[][];
  }, 60_000);

  describe('holds the borders between folders', () => {
    it.each(boundaries.map(([filePath, code, ...rules], index) => ({ filePath, code, rules: rules.sort(), index })))(
      '$filePath: $code breaks $rules',
      ({ rules, index }) => {
        expect(broken[index]).toEqual(rules);
      },
    );
  });

  describe('knows types', () => {
    it.each(typeAware.map(([code, ...rules], index) => ({ code, rules, index })))(
      '$code breaks $rules',
      ({ rules, index }) => {
        expect(broken[boundaries.length + index]).toEqual(rules);
      },
    );
  });
});
