import { ON_BEHALF_OF } from '../internal/sourceHooks.js';
import { orAborted } from './orAborted.js';

/**
 * Lets concurrent callers share one piece of work, which outlives them: when all have aborted, it goes on for `grace` ms
 * more. A refresh that rotates must not be cut off, since the server may have used up the old token already.
 */
export function sharedFlight<A, T>(work: (signal: AbortSignal, first: A) => Promise<T>, grace: number): (signal: AbortSignal, first: A) => Promise<T> {
  let flight: { readonly result: Promise<T>; waiting: number; abandon(): void } | undefined;

  const takeOff = (caller: AbortSignal, first: A) => {
    const controller = new AbortController();
    Object.defineProperty(controller.signal, ON_BEHALF_OF, { value: caller });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const result = work(controller.signal, first);
    const started = {
      result,
      waiting: 0,
      abandon: () => {
        timer ??= setTimeout(() => {
          controller.abort();
        }, grace);
        (timer as { unref?(): void }).unref?.();
      },
    };
    const land = () => {
      clearTimeout(timer);
      if (flight === started) flight = undefined;
    };
    result.then(land, land);
    return started;
  };

  return (signal, first) => {
    const joined = (flight ??= takeOff(signal, first));
    joined.waiting++;
    const leave = () => {
      if (--joined.waiting === 0 && flight === joined) joined.abandon();
    };
    const share = orAborted(joined.result, signal);
    share.then(leave, leave);
    return share;
  };
}
