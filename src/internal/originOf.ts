/** The origin of an absolute URL; none, if it is not one. */
export function originOf(url: string | null | undefined): string | undefined {
  try {
    return new URL(url ?? '').origin;
  } catch {
    return undefined;
  }
}
