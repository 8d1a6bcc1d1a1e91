/** The fetch of the browser. Bundlers take this file instead of transport.js, and leave cross-fetch out. */

/** The platform's fetch as it is now: the application may put a fetch of ours in its place. */
export function platformFetch(): typeof globalThis.fetch {
  const { fetch } = globalThis;
  return (input, init) => fetch(input, init);
}

export { beginningOf } from './bodyBeginning.js';
export { byPlatform as redirectPolicy } from './byPlatform.js';

/** Browsers' errors quote no URL. */
export const platformError = (error: unknown): unknown => error;

export const platformHeaders = (): typeof Headers => globalThis.Headers;
