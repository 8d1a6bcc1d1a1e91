const { afterEach } = require('@jest/globals');
const { config } = require('rxjs');

// An error that nobody handles fails the test in which it comes up, and not the process that runs the next mutant.
const unhandled = [];
config.onUnhandledError = (error) => unhandled.push(error);

afterEach(() => {
  const [error] = unhandled.splice(0);
  if (error !== undefined) throw error;
});
