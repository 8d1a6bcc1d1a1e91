const { default: TestRunner, EmittingTestRunner } = require('jest-runner');

/**
 * Runs the specs of the project `alone` one after the other, and those of all other projects beside them. The former
 * wait for most of their time. The latter have a lower priority (lowPriority.cjs), so that they make no timer of the
 * former late.
 */
module.exports = class TwoLanes extends EmittingTestRunner {
  constructor(globalConfig, context) {
    super(globalConfig, context);
    this.alone = new TestRunner({ ...globalConfig, maxWorkers: 1 }, context);
    this.others = new TestRunner(globalConfig, context);
  }

  async runTests(tests, watcher, options) {
    const isAlone = ({ context }) => context.config.displayName.name === 'alone';
    const lanes = [
      [this.alone, tests.filter(isAlone)],
      [this.others, tests.filter((test) => !isAlone(test))],
    ].filter(([, these]) => these.length > 0);
    const run = ([lane, these]) => lane.runTests(these, watcher, options);
    // `jest -i` runs everything in one process.
    if (options.serial) for (const lane of lanes) await run(lane);
    else await Promise.all(lanes.map(run));
  }

  on(eventName, listener) {
    const stop = [this.alone, this.others].map((lane) => lane.on(eventName, listener));
    return () => stop.forEach((one) => one());
  }
};
