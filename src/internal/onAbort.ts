interface Watch {
  readonly actions: Set<() => void>;
  readonly runAll: () => void;
}

const watches = /* @__PURE__ */ new WeakMap<AbortSignal, Watch>();

/** Why the signal has aborted. Signals of old implementations, such as that of React Native, do not say. */
export const reasonOf = ({ reason }: AbortSignal): unknown =>
  reason === undefined ? Object.assign(new Error('aborted'), { name: 'AbortError' }) : reason;

/**
 * Calls `act` when the signal aborts, or now if it has. There is one listener for all who watch a signal: Node
 * warns of a leak at the eleventh, and a whole application may abort by one.
 *
 * @returns stops watching
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act();
    return () => undefined;
  }
  let watch = watches.get(signal);
  if (!watch) {
    const actions = new Set<() => void>();
    watch = {
      actions,
      runAll: () => {
        for (const action of [...actions]) action();
      },
    };
    watches.set(signal, watch);
  }
  const { actions, runAll } = watch;
  if (actions.size === 0) signal.addEventListener('abort', runAll);
  actions.add(act);
  return () => {
    if (actions.delete(act) && actions.size === 0) signal.removeEventListener('abort', runAll);
  };
}
