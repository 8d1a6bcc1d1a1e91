/** The only file that knows cross-fetch: the fetch of the platform or its substitute, and what only Node needs. */

import { beginningOf as beginningOfStream, createBeginning } from './bodyBeginning.js';
import { byPlatform } from './byPlatform.js';
import { byHand, type RedirectPolicy } from './follow.js';
import { inBrowser } from './inBrowser.js';
import { tagOf } from '../internal/values/kindOf.js';

type Ponyfill = typeof import('cross-fetch');
let ponyfill: Promise<Ponyfill> | undefined;
const loadPonyfill = () => (ponyfill ??= load('cross-fetch'));
/** By a name that bundlers do not see: some cannot bundle it. scripts/build.mjs replaces the `require` of CommonJS. */
const load = (name: string) => import(/* webpackIgnore: true */ /* @vite-ignore */ name) as Promise<Ponyfill>;

/** What node-fetch would send as the text `[object …]`, or fail on. */
const NOT_UNDERSTOOD = / (Request|FormData|ReadableStream|Blob|File|AsyncGenerator)\]/;

/** The platform's fetch as it is now: the application may put a fetch of ours in its place. */
export function platformFetch(): typeof globalThis.fetch {
  const { fetch } = globalThis as Partial<typeof globalThis>;
  return typeof fetch === 'function' ? (input, init) => fetch(input, init) : ponyfillFetch;
}

function ponyfillFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  for (const part of [input, init?.body]) {
    const tag = tagOf(part);
    if (NOT_UNDERSTOOD.test(tag))
      return Promise.reject(
        new TypeError(
          `cross-fetch cannot send a native ${tag.slice(8, -1)}: hand in a fetch that can (option "fetch")`,
        ),
      );
  }
  return loadPonyfill().then(({ fetch }) => fetch(input, init));
}

/**
 * Redirects, followed by hand wherever a script can see them. Bundlers for browsers take the other file; this check is
 * for pages that load the module without a bundler.
 */
export const redirectPolicy: RedirectPolicy = inBrowser() ? byPlatform : byHand;

export const platformHeaders = (): typeof Headers | Promise<typeof Headers> =>
  typeof globalThis.Headers === 'function' ? globalThis.Headers : loadPonyfill().then(({ Headers }) => Headers);

/** The error of a fetch on Node without a secret: node-fetch quotes the URL, and undici the referrer. */
export function platformError(error: unknown): unknown {
  const { name, message, code, type } = (error ?? {}) as Partial<Record<'name' | 'message' | 'code' | 'type', string>>;
  if (name === 'FetchError')
    return new TypeError('fetch failed', { cause: Object.assign(new Error(code ?? type), { code }) });
  const [unparsed] = /^(Referrer "|Failed to parse URL from )/.exec(String(message)) ?? [];
  if (!unparsed) return error;
  // The URL has been parsed before: undici takes a Request of another library for the text of one.
  return new TypeError(
    unparsed === 'Referrer "'
      ? 'the referrer cannot be parsed'
      : 'fetch cannot send a Request of another library: take both from the same one (option "fetch")',
  );
}

type NodeStream = Pick<NodeJS.ReadableStream, 'on'>;

/** The beginning of a body, which is a stream of Node where node-fetch has received it. */
export const beginningOf = (body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> =>
  'getReader' in body ? beginningOfStream(body) : beginningOfNodeStream(body as NodeStream);

/** node-fetch's: it is read to its end, since destroying it would leave the socket paused. */
const beginningOfNodeStream = (body: NodeStream): Promise<Uint8Array<ArrayBuffer>> =>
  new Promise((resolve) => {
    const finish = () => resolve(beginning.bytes());
    const beginning = createBeginning(finish);
    body.on('data', (chunk: Uint8Array) => {
      if (!beginning.add(chunk)) finish();
    });
    body.on('end', finish);
    body.on('error', finish);
  });
