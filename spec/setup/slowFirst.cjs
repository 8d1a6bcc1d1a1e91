const { default: TestSequencer } = require('@jest/test-sequencer');

/** Where nothing is known of an earlier run, Jest begins with the largest files, and the last of these would run alone. */
const SLOW = /spec\/(examples\/angular|model\/|leaks\/|secrets\/|browser\/live-)/;

/** Collects all garbage eighty times: a worker that has run nothing else has the smallest heap. */
const NEEDS_SMALL_HEAP = /spec\/http\/garbageCollection/;

/** Begins with the specs that take longest, so that all workers are busy to the end. The sort is stable. */
module.exports = class SlowFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const rank = ({ path }) => (NEEDS_SMALL_HEAP.test(path) ? 0 : SLOW.test(path) ? 1 : 2);
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
};
