/** The fetch of the browser. Bundlers take this file instead of transport.js, and leave cross-fetch out. */

export const platformFetch = (input: string | Request, init: RequestInit): Promise<Response> =>
  globalThis.fetch(input, init);

/** Redirects are opaque here: the platform follows, or nobody does. */
export const followRedirects = undefined;

export const platformHeaders = (): typeof Headers => globalThis.Headers;
