/** Frees the connection of an answer that is not read, if there is one. */
export function discard(answer: Response | undefined): void {
  // Node's IncomingMessage has no `body`: it is the stream. Angular's body is parsed JSON, which may have members of
  // these names.
  const stream = (answer?.body ?? answer) as { cancel?: () => Promise<void>; resume?: () => void } | null | undefined;
  if (typeof stream?.cancel === 'function') stream.cancel().catch(() => undefined);
  // node-fetch: destroying its body would leave the socket paused.
  else if (typeof stream?.resume === 'function') stream.resume();
}
