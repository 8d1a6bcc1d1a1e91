/** Milliseconds between two looks, and what a timer is late by on an idle machine. */
const STEP = 5;
const USUAL = 1;

/**
 * For how long this process did not get to run: all that a timer was late by which should fire every few milliseconds. A
 * bound that grows by what the machine was late in the same run needs no slack for busy machines.
 */
export function lateness(): { readonly stop: () => number } {
  let total = 0;
  let due = performance.now() + STEP;
  const look = () => {
    total += Math.max(0, performance.now() - due - USUAL);
    due = performance.now() + STEP;
  };
  const timer = setInterval(look, STEP);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return total;
    },
  };
}
