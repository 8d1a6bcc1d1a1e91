const base = require('../../../jest.base.cjs');

/** The clients of docs/recipes.md that the root does not install: `npm run test:recipes`. */
/** @type {import('jest').Config} */
module.exports = {
  ...base,
  rootDir: '../../..',
  roots: ['<rootDir>/spec/recipes/clients'],
  testRegex: '-spec\\.ts$',
  globalSetup: '<rootDir>/spec/recipes/clients/setup.mjs',
  // Each recipe goes through three tokens of three seconds.
  testTimeout: 90_000,
  maxWorkers: 3,
  moduleNameMapper: { ...base.moduleNameMapper, '^(\\.{1,2}/.*)\\.js$': ['$1', '$1.js'] },
  transform: { '^.+\\.(ts|mjs|js)$': Object.values(base.transform)[0] },
  transformIgnorePatterns: [
    '/node_modules/(?!(oauth4webapi|eventsource-parser|eventsource|ky|@urql/core|wonka|pkce-challenge|aedes|aedes-[a-z]+|mqemitter|@opentelemetry/otlp-exporter-base)/)',
  ],
  reporters: ['default', '<rootDir>/spec/setup/closingLine.cjs'],
};
