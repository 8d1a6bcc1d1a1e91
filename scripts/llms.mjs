// llms.txt (what there is, and where) and llms-full.txt (all of it), for programs that read documents. See llmstxt.org.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

/** What each page is for. */
const PAGES = {
  'README.md': 'the first stream and the first request, and all entries of the package',
  'docs/angular.md': 'provider, interceptor, signals, tests, server-side rendering',
  'docs/axios.md': 'attachToken for an instance of axios',
  'docs/compare.md': 'measured against other packages',
  'docs/connect.md': 'connectWithToken, eventStream: WebSockets, server-sent events, reconnects',
  'docs/diagrams.md': 'a renewal, a cold start, an outage, a rejection and a sign-out as marble diagrams',
  'docs/errors.md': 'each code, its reason, and what helps',
  'docs/faq.md': '401 or 403, clocks, shutdown, logs, and other questions',
  'docs/file.md': 'fileTokenStore: command-line tools on one machine share a token',
  'docs/fleet.md': 'redisTokenStore: many processes share a token',
  'docs/from.md': 'from axios-auth-refresh, an interceptor or shareReplay to this package',
  'docs/guarantees.md': 'exactly what the library does, by number, with the spec of each',
  'docs/http.md': 'createHttpClient: methods, bodies, URLs, redirects, status',
  'docs/live.md': 'a demonstration in the browser, with buttons that break things',
  'docs/nest.md': 'TokenModule, HttpService with the token, tests, shutdown',
  'docs/oauth.md': 'a source for each OAuth grant; rotating refresh tokens, DPoP, token files',
  'docs/options.md': 'each option of the stream and the clients, with its default',
  'docs/otel.md': 'metrics for OpenTelemetry, diagnostics channels',
  'docs/pool.md': 'createTokenPool: a stream per tenant, audience or user',
  'docs/proxy.md': 'a local proxy that adds the token for Java, Python, curl',
  'docs/recipes.md': 'code for more than twenty other clients',
  'docs/runtimes.md': 'the versions of Node, Bun, Deno, TypeScript and frameworks that were tried',
  'docs/sessions.md': 'a server that keeps the tokens of its users (backend for frontend)',
  'docs/stream.md': 'members and events of the stream; how to write a source; withToken, takeToken',
  'docs/tabs.md': 'tabTokenStore: the tabs of a browser share a token',
  'docs/testing.md': 'fake source, fake API, token server; marble diagrams and fake timers',
  'ARCHITECTURE.md': 'how it works inside, and why so',
  'CHANGELOG.md': 'what has changed',
};

const read = (page) => readFileSync(join(root, page), 'utf8');
const pages = Object.keys(PAGES);
const unnamed = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && !PAGES[`docs/${name}`]);
if (unnamed.length > 0) throw new Error(`scripts/llms.mjs must say what these pages are for: ${unnamed.join(', ')}`);

const lineOf = (page) => `- [${/^# (.*)$/m.exec(read(page))[1]}](${page}): ${PAGES[page]}`;
const [title, summary] = read('README.md').split('\n\n');

writeFileSync(
  join(root, 'llms.txt'),
  `${title}\n\n> ${summary}\n\nAll pages in one file: [llms-full.txt](llms-full.txt)\n\n## Documents\n\n${pages.map(lineOf).join('\n')}\n`,
);
writeFileSync(join(root, 'llms-full.txt'), pages.map((page) => `<!-- ${page} -->\n\n${read(page)}`).join('\n\n'));
