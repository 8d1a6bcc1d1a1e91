import { onAbort } from '../internal/onAbort.js';
import { onBehalfOf } from '../internal/sourceHooks.js';
import { orAborted } from './orAborted.js';

export interface SharedFlight<A, T> {
  /** Begins the work, or joins it. */
  board(signal: AbortSignal, first: A): Promise<T>;
  /** The signal of who left last, while there is work under way for which nobody waits. */
  deserter(): AbortSignal | undefined;
}

/**
 * Lets concurrent callers share one piece of work, which outlives them: when all have aborted, it goes on for `grace` ms
 * more. A refresh that rotates must not be cut off, since the server may have used up the old token already. Who joins
 * meanwhile is not cut off either; but once the grace is over, the work ends with the last of those, and not a grace
 * later: one that hangs must not be joined for ever.
 *
 * @param onUnclaimed told of a result that comes when nobody waits any more, with the signal of who left last
 */
export function sharedFlight<A, T>(
  work: (signal: AbortSignal, first: A) => Promise<T>,
  grace: number,
  onUnclaimed: (result: T, last: AbortSignal) => void = () => undefined,
): SharedFlight<A, T> {
  let flight: { board(signal: AbortSignal): Promise<T>; deserter(): AbortSignal | undefined } | undefined;

  const takeOff = (caller: AbortSignal, first: A) => {
    const controller = new AbortController();
    const aboard = new Set<object>();
    let last = caller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let graceIsOver = false;
    let landed = false;

    const endIfDeserted = () => {
      if (aboard.size > 0 || landed) return;
      if (graceIsOver) controller.abort();
      timer ??= setTimeout(() => {
        graceIsOver = true;
        endIfDeserted();
      }, grace);
      (timer as { unref?(): void }).unref?.();
    };

    const result = work(onBehalfOf(caller, controller.signal), first);
    const started = {
      board: (signal: AbortSignal) => {
        const ticket = {};
        aboard.add(ticket);
        const leave = () => {
          if (!aboard.delete(ticket)) return;
          last = signal;
          endIfDeserted();
        };
        const share = orAborted(result, signal);
        // At once, and not only when the share has been rejected: a stream may be closed in the same breath.
        const stop = onAbort(signal, leave);
        share.then(leave, leave).then(stop, stop);
        return share;
      },
      deserter: () => (aboard.size === 0 ? last : undefined),
    };
    const land = () => {
      landed = true;
      clearTimeout(timer);
      if (flight === started) flight = undefined;
    };
    result.then((value) => {
      land();
      if (aboard.size === 0) onUnclaimed(value, last);
    }, land);
    return started;
  };

  return {
    // For whoever has left already nothing is begun: it would use up a refresh token for nobody.
    board: (signal, first) =>
      signal.aborted && !flight
        ? orAborted(new Promise<never>(() => undefined), signal)
        : (flight ??= takeOff(signal, first)).board(signal),
    deserter: () => flight?.deserter(),
  };
}
