/**
 * The fetch of the platform, or cross-fetch's where there is none. The only file that knows cross-fetch; bundlers for
 * browsers swap it.
 */

import { byPlatform } from './byPlatform.js';
import { byHand, type RedirectPolicy } from './follow.js';
import { tagOf } from './requestBody.js';

let ponyfill: Promise<typeof import('cross-fetch')> | undefined;
const loadPonyfill = () => (ponyfill ??= import('cross-fetch'));

/** What node-fetch would send as the text `[object …]`, or stumble over. */
const NOT_UNDERSTOOD = /^\[object (Request|FormData|ReadableStream|Blob|File|AsyncGenerator)\]$/;

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
 * Redirects, followed by hand wherever a script can see them. Bundlers for browsers know that none can; this look is
 * for pages that load the module as it is.
 */
export const redirectPolicy: RedirectPolicy =
  'document' in globalThis || 'importScripts' in globalThis ? byPlatform : byHand;

export { beginningOnNode as beginningOf } from './nodeBody.js';
export { nodeError as platformError } from './nodeError.js';

export const platformHeaders = (): typeof Headers | Promise<typeof Headers> =>
  typeof globalThis.Headers === 'function' ? globalThis.Headers : loadPonyfill().then(({ Headers }) => Headers);
