import { Observable, type SchedulerLike, type Subscription } from 'rxjs';

/** The longest delay that `setTimeout` takes; anything longer fires at once. */
const LONGEST = 2 ** 31 - 1;

interface Handle {
  ref?(): unknown;
  unref?(): unknown;
}

/**
 * The timers of one stream: as long as life demands, and only holding a Node process open while somebody waits for
 * what they will do.
 */
export class Timers {
  readonly #running = new Set<Subscription>();
  #held = false;

  constructor(private readonly scheduler: SchedulerLike) {}

  /** Emits once after `delay` ms, then completes; `Infinity` never does. Hand-made, since `timer` neither chains nor lets its handle be unref'd. */
  after(delay: number): Observable<void> {
    return new Observable((subscriber) => {
      if (delay === Infinity) return;
      let action: Subscription;
      const arm = (left: number) => {
        const leg = Math.min(left, LONGEST);
        action = this.scheduler.schedule(() => {
          this.#running.delete(action);
          if (left > leg) {
            arm(left - leg);
          } else {
            subscriber.next();
            subscriber.complete();
          }
        }, leg);
        this.#running.add(action);
        if (!this.#held) hold(action, false);
      };
      arm(Math.max(0, delay));
      return () => {
        this.#running.delete(action);
        action.unsubscribe();
      };
    });
  }

  /** Whether these timers keep the process alive. */
  keepAlive(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    for (const action of this.#running) hold(action, held);
  }
}

/** RxJS' asyncScheduler keeps the interval's handle in the action's `id`; a foreign scheduler's timers stay as they are. */
function hold(action: Subscription, held: boolean): void {
  const handle = (action as { id?: Handle }).id;
  if (held) handle?.ref?.();
  else handle?.unref?.();
}
