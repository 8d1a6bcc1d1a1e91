const { default: TestRunner } = require('jest-runner');

/** Runs a project's specs one after the other, in a process of their own. */
module.exports = class OneWorker extends TestRunner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }
};
