import { onBehalfOf } from '../internal/sourceHooks.js';
import { orAborted } from './orAborted.js';

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
): (signal: AbortSignal, first: A) => Promise<T> {
  let flight: { board(signal: AbortSignal): Promise<T> } | undefined;

  const takeOff = (caller: AbortSignal, first: A) => {
    const controller = new AbortController();
    let waiting = 0;
    let last = caller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let graceIsOver = false;
    let landed = false;

    const endIfDeserted = () => {
      if (waiting > 0 || landed) return;
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
        waiting++;
        const leave = () => {
          waiting--;
          last = signal;
          endIfDeserted();
        };
        const share = orAborted(result, signal);
        share.then(leave, leave);
        return share;
      },
    };
    const land = () => {
      landed = true;
      clearTimeout(timer);
      if (flight === started) flight = undefined;
    };
    result.then((value) => {
      land();
      if (waiting === 0) onUnclaimed(value, last);
    }, land);
    return started;
  };

  // For whoever has left already nothing is begun: it would use up a refresh token for nobody.
  return (signal, first) => (signal.aborted && !flight ? orAborted(new Promise<never>(() => undefined), signal) : (flight ??= takeOff(signal, first)).board(signal));
}
