/** The error of a fetch on Node without a secret: node-fetch quotes the URL, and undici the referrer. */
export function nodeError(error: unknown): unknown {
  const { name, code, type, cause } = (error ?? {}) as Partial<Record<'name' | 'code' | 'type', string>> & {
    cause?: { code?: unknown };
  };
  if (name === 'FetchError')
    return new TypeError('fetch failed', { cause: Object.assign(new Error(code ?? type), { code }) });
  return cause?.code === 'ERR_INVALID_URL' ? new TypeError('the referrer cannot be parsed') : error;
}
