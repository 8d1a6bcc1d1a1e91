/** Frees the connection of an answer that nobody will read. */
export function discard({ body }: Response): void {
  const stream = body as { cancel?: () => Promise<void>; resume?: () => void } | null;
  if (stream?.cancel) stream.cancel().catch(() => undefined);
  // node-fetch: destroying its body would leave the socket paused.
  else stream?.resume?.();
}
