const { TestEnvironment } = require('jest-environment-node');

/** One failure is enough: the mutant is noticed. Jest's own `bail` ends only with the file. */
module.exports = class FailFast extends TestEnvironment {
  #failed = false;

  async handleTestEvent(event) {
    if (event.name === 'test_done' && event.test.errors.length > 0) this.#failed = true;
    if (event.name === 'test_start' && this.#failed) event.test.mode = 'skip';
  }
};
