const base = require('./jest.base.cjs');

/** Specs of a part alone, in virtual time or on a loopback server of their own. */
const UNIT = [
  '<rootDir>/spec/{token,internal,guarantees,http,axios,nest}/**/*-spec.ts',
  '<rootDir>/spec/connect/!(servers)-spec.ts',
  '<rootDir>/spec/{errors,exports}-spec.ts',
];

/** @type {import('jest').Config} */
module.exports = {
  // Most specs wait for timers, servers and browsers: so there are more workers than cores.
  maxWorkers: 3,
  projects: [
    { ...base, displayName: 'unit', testMatch: UNIT },
    {
      ...base,
      displayName: 'system',
      testMatch: ['<rootDir>/spec/**/*-spec.ts', ...UNIT.map((path) => `!${path}`)],
      globalSetup: '<rootDir>/spec/setup/globalSetup.mjs',
      globalTeardown: '<rootDir>/spec/setup/globalTeardown.mjs',
    },
  ],
  reporters: ['default', '<rootDir>/spec/setup/closingLine.cjs'],
  collectCoverageFrom: ['src/**/*.ts', '!src/**/index.ts'],
  coverageReporters: ['text', 'lcov'],
  coverageThreshold: { global: { branches: 95, lines: 95, statements: 95 } },
};
