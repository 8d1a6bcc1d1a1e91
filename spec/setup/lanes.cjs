const { default: TestRunner, EmittingTestRunner } = require('jest-runner');

/** Projects whose specs run one after the other. */
const ONE_AT_A_TIME = ['alone', 'waiting'];

/**
 * Runs three groups of specs beside each other: those of `alone`, those of `waiting`, and those of all other projects.
 * The first two wait for most of their time. All but `alone` have a lower priority (lowPriority.cjs), so that they make
 * no timer of `alone` late.
 */
module.exports = class Lanes extends EmittingTestRunner {
  constructor(globalConfig, context) {
    super(globalConfig, context);
    const single = () => new TestRunner({ ...globalConfig, maxWorkers: 1 }, context);
    this.lanes = new Map(ONE_AT_A_TIME.map((project) => [project, single()]));
    this.lanes.set('others', new TestRunner(globalConfig, context));
  }

  async runTests(tests, watcher, options) {
    const laneOf = ({ context }) => {
      const { name } = context.config.displayName;
      return ONE_AT_A_TIME.includes(name) ? name : 'others';
    };
    const run = (name) => {
      const these = tests.filter((test) => laneOf(test) === name);
      return these.length > 0 ? this.lanes.get(name).runTests(these, watcher, options) : undefined;
    };
    // `jest -i` runs everything in one process.
    if (options.serial) for (const name of this.lanes.keys()) await run(name);
    else await Promise.all([...this.lanes.keys()].map(run));
  }

  on(eventName, listener) {
    const stop = [...this.lanes.values()].map((lane) => lane.on(eventName, listener));
    return () => stop.forEach((one) => one());
  }
};
