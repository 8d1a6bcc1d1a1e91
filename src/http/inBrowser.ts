/** Decides whether the platform is a browser, where redirects and the HTTP cache work in another way. */

/**
 * Whether this is a page or a worker of a browser, which follows redirects and has an HTTP cache. Some other platforms
 * take the files for browsers as well.
 */
export const inBrowser = (): boolean => 'document' in globalThis || 'importScripts' in globalThis;
