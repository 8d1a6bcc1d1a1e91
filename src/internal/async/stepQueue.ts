/** Runs steps in their order: one that a step adds waits until that step has ended. */
export function createStepQueue() {
  const steps: (() => void)[] = [];
  let isRunning = false;

  return {
    add: (step: () => void): void => {
      steps.push(step);
    },
    run: (): void => {
      if (isRunning) return;
      isRunning = true;
      try {
        for (let step = steps.shift(); step; step = steps.shift()) step();
      } finally {
        // The option `now` may have thrown.
        isRunning = false;
      }
    },
  };
}
