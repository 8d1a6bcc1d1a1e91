/** Reads a JWT without verifying it, to know when to ask for the next one. */

/** Never verified. */
export function jwtClaims(token: string): { exp?: unknown; iat?: unknown } {
  const payload = /^[\w-]+=*\.([\w-]+)=*\.[\w-]*=*$/.exec(token)?.[1];
  try {
    const claims: unknown = payload && JSON.parse(fromBase64(payload));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}

/** The bytes of Base64, also in its spelling for URLs. Throws if it is none. */
export const fromBase64 = (text: string): string => atob(text.replace(/-/g, '+').replace(/_/g, '/'));
