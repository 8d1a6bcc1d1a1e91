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
  }
  const { acts, tell } = watch;
  if (acts.size === 0) signal.addEventListener('abort', tell);
  acts.add(act);
  return () => {
    if (acts.delete(act) && acts.size === 0) signal.removeEventListener('abort', tell);
  };
}
