/** The origin of a URL, which may be relative to `base`; undefined, if it has none. */
export function originOf(url: string | null | undefined, base?: string): string | undefined {
  try {
    return new URL(url ?? '', base).origin;
  } catch {
    return undefined;
  }
}
