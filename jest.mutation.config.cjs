const base = require('./jest.base.cjs');

/** What watches over src/token, src/http and src/internal, without the servers that other specs need. */
module.exports = {
  ...base,
  testTimeout: 30_000,
  testRegex: 'spec/mutation/everything\\.cjs$',
  testEnvironment: require.resolve('./spec/mutation/failFast.cjs'),
  setupFilesAfterEnv: ['<rootDir>/spec/mutation/unhandled.cjs'],
};
