/** The last line of a run: how many specs passed, and how many failed, a file that could not be run among them. */
module.exports = class ClosingLine {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
    // At the exit: the table of the coverage comes after the reporters.
    process.once('exit', () => {
      process.stdout.write(`${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed\n`);
    });
  }
};
