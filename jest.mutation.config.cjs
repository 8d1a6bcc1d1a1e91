/** What watches over src/token, src/http and src/internal, without the servers that other specs need. */
module.exports = {
  // Nothing else is searched for specs and modules, again and again.
  roots: ['<rootDir>/spec/mutation'],
  testTimeout: 30_000,
  testRegex: 'spec/mutation/everything\\.bundle\\.cjs$',
  transform: {},
  testEnvironment: require.resolve('./spec/mutation/failFast.cjs'),
};
