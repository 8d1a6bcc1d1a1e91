/** Reads URLs. No error quotes one: its query may be a secret. */

/** Where a page's relative URLs go, which its `<base>` decides; undefined outside of pages. */
export function pageUrl(): string | undefined {
  const { document, location } = globalThis as { document?: { baseURI?: string }; location?: { href?: string } };
  return document?.baseURI ?? location?.href;
}

/** `URL.parse`, which Node 20 lacks; the error of `new URL` would quote its input. */
export function parseUrl(url: string, base?: string | URL): URL | undefined {
  try {
    return new URL(url, base);
  } catch {
    return undefined;
  }
}

/**
 * Headers are read byte by byte (Latin-1), but servers write a path in UTF-8. Fetch reads it so, and encodes it for the
 * URL.
 */
export const utf8Of = (value: string): string =>
  /^[\0-\xff]*$/.test(value)
    ? new TextDecoder().decode(Uint8Array.from(value, (character) => character.charCodeAt(0)))
    : value;

/** The origin of a URL, which may be relative to `base`; undefined, if it has none. */
export function originOf(url: string | null | undefined, base?: string): string | undefined {
  const origin = parseUrl(url ?? '', base)?.origin;
  return origin === 'null' ? undefined : origin;
}

/** What of a URL may be printed: scheme, host and path. A query, a fragment or a user may be a secret. */
export const displayUrl = ({ protocol, host, pathname }: URL): string => `${protocol}//${host}${pathname}`;
