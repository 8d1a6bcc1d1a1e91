/** The fetch of the browser. Bundlers take this file instead of transport.js, and leave cross-fetch out. */

/** The platform's fetch as it is now: the application may put a fetch of ours in its place. */
export function platformFetch(): typeof globalThis.fetch {
  const { fetch } = globalThis;
  return (input, init) => fetch(input, init);
}

/** Redirects are opaque here: the platform follows, or nobody does. */
export const followRedirects = undefined;

export const platformHeaders = (): typeof Headers => globalThis.Headers;
