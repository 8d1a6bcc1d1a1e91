export interface LiveClock {
  readonly now: () => number;
  /** Milliseconds slept so far. */
  readonly slept: number;
  /** Turns the clock forward, as a machine finds it that was asleep: its timers stood still meanwhile. */
  sleep(ms: number): { readonly at: number; readonly until: number };
}

export function liveClock(system: () => number = Date.now): LiveClock {
  let slept = 0;
  return {
    now: () => system() + slept,
    get slept() {
      return slept;
    },
    sleep: (ms) => {
      const at = system() + slept;
      slept += ms;
      return { at, until: at + ms };
    },
  };
}
