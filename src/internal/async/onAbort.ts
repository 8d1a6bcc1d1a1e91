/** Waits for the abort of a signal, with one listener for all who wait. */
import { firstValueFrom, from, merge, NEVER, Observable, type ObservableInput } from 'rxjs';
import { ignoreRejection } from './ignoreRejection.js';

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

/** Fails with the signal's reason when it aborts. `fromEvent` would add a listener for each subscriber. */
export const aborted = (signal: AbortSignal | null | undefined): Observable<never> =>
  signal ? new Observable((subscriber) => onAbort(signal, () => subscriber.error(reasonOf(signal)))) : NEVER;

/** The first value; rejects with the signal's reason if that aborts first. If it has, the value is not asked for. */
export function orAborted<T>(value: ObservableInput<T>, signal: AbortSignal | null | undefined): Promise<T> {
  ignoreRejection(value);
  return firstValueFrom(signal ? merge(aborted(signal), value) : from(value));
}
