/** Where a page's relative URLs go, which its `<base>` decides; undefined outside of pages. */
export function pageUrl(): string | undefined {
  const { document, location } = globalThis as { document?: { baseURI?: string }; location?: { href?: string } };
  return document?.baseURI ?? location?.href;
}

/** The origin of a URL, which may be relative to `base`; undefined, if it has none. */
export function originOf(url: string | null | undefined, base?: string): string | undefined {
  try {
    return new URL(url ?? '', base).origin;
  } catch {
    return undefined;
  }
}
