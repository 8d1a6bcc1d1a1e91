const { default: TestSequencer } = require('@jest/test-sequencer');

/** Where nothing is known of an earlier run, Jest begins with the largest files, and the last of these would run alone. */
const SLOW = /spec\/(examples\/angular|model\/|leaks\/|secrets\/|browser\/live-)/;

/** Begins with the specs that take longest, so that both workers are busy to the end. */
module.exports = class SlowFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isSlow = ({ path }) => SLOW.test(path);
    return [...sorted.filter(isSlow), ...sorted.filter((test) => !isSlow(test))];
  }
};
