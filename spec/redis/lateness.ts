/** Milliseconds between two looks, and what a timer is late by on an idle machine. */
const STEP = 5;
const USUAL = 1;

/** Milliseconds. */
export interface Lateness {
  /** All of it: what may be added to a time that is the sum of several timers. */
  readonly total: number;
  /** The longest at once: what may be added to anything. */
  readonly worst: number;
}

/**
 * For how long this process did not get to run: by how much a timer was late that should fire every few milliseconds. A
 * bound that grows by what the machine was late in the same run needs no slack for busy machines.
 */
export function lateness(): { readonly stop: () => Lateness } {
  let total = 0;
  let worst = 0;
  let due = performance.now() + STEP;
  const look = () => {
    const late = Math.max(0, performance.now() - due - USUAL);
    total += late;
    worst = Math.max(worst, late);
    due = performance.now() + STEP;
  };
  const timer = setInterval(look, STEP);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return { total, worst };
    },
  };
}
