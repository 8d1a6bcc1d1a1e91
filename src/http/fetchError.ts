/**
 * What every platform should say: the abort's own reason, a TypeError for a network that failed, and no secret.
 * node-fetch quotes the URL, and both quote a header's value.
 */
export function plainError(error: unknown, signal?: AbortSignal | null): unknown {
  if (signal?.aborted) return signal.reason;
  const { name, message, code, type } = (error ?? {}) as Partial<Record<'name' | 'message' | 'code' | 'type', string>>;
  if (name === 'FetchError')
    return new TypeError('fetch failed', { cause: Object.assign(new Error(code ?? type), { code }) });
  if ((error as { cause?: { code?: unknown } } | null)?.cause?.code === 'ERR_INVALID_URL')
    return new TypeError('the referrer cannot be parsed');
  return name === 'TypeError' && /(invalid|legal HTTP) header (name|value)/i.test(message ?? '')
    ? new TypeError('a header has a name or value that HTTP does not allow')
    : error;
}
