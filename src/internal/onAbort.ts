interface Watch {
  readonly acts: Set<() => void>;
  readonly tell: () => void;
}

const watches = /* @__PURE__ */ new WeakMap<AbortSignal, Watch>();

/**
 * Calls `act` when the signal aborts, or now if it has. One listener stands for all who watch a signal: Node takes eleven
 * for a leak, and a whole application may abort by one.
 *
 * @returns stops watching
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) act();
  let watch = watches.get(signal);
  if (!watch) {
    const acts = new Set<() => void>();
    watch = {
      acts,
      tell: () => {
        for (const each of [...acts]) each();
      },
    };
    watches.set(signal, watch);
    signal.addEventListener('abort', watch.tell);
  }
  const { acts, tell } = watch;
  acts.add(act);
  return () => {
    acts.delete(act);
    if (acts.size > 0 || watches.get(signal)?.acts !== acts) return;
    watches.delete(signal);
    signal.removeEventListener('abort', tell);
  };
}
