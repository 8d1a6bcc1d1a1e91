/** Frees the connection of an answer that is not read. */
export function discard({ body }: Response): void {
  // The body of Angular's HttpResponse is parsed, and may have members of these names.
  const stream = body as { cancel?: () => Promise<void>; resume?: () => void } | null | undefined;
  if (typeof stream?.cancel === 'function') stream.cancel().catch(() => undefined);
  // node-fetch: destroying its body would leave the socket paused.
  else if (typeof stream?.resume === 'function') stream.resume();
}
