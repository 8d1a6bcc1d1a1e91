const base = require('./jest.base.cjs');

// Where the environment names a proxy of the network, the servers of the specs are still reached without it.
const { no_proxy = process.env.NO_PROXY } = process.env;
process.env.no_proxy = [no_proxy, 'localhost', '127.0.0.1', '[::1]'].filter(Boolean).join(',');

/** Specs of a part alone, in virtual time or on a loopback server of their own. */
const UNIT = [
  '/spec/(token|answers|internal|guarantees|http|axios)/.*-spec\\.ts$',
  '/spec/connect/(?!servers).*-spec\\.ts$',
  '/spec/(errors|exports)-spec\\.ts$',
];

/** Specs that measure how long something takes between browsers and processes. They run one after the other. */
const ALONE = [
  '/spec/browser/(connect|live-page|tabs)-spec\\.ts$',
  '/spec/faults/.*-spec\\.ts$',
  '/spec/redis/(fleet-.*|faults|instances)-spec\\.ts$',
  '/spec/file/killed-spec\\.ts$',
  '/spec/compare/.*-spec\\.ts$',
  '/spec/connect/servers-spec\\.ts$',
  '/spec/examples/(demo-embedded|fleet|java)-spec\\.ts$',
];

/** Specs that wait for nine tenths of their time: for stores and locks. They have a worker of their own. */
const WAITING = [
  '/spec/redis/.*-spec\\.ts$',
  '/spec/(stores/contract|tabs/tabTokenStore|file/fileTokenStore)-spec\\.ts$',
];

/** Random histories of src/token: what they run through is covered by its own specs too. */
const MODEL = ['/spec/model/.*-spec\\.ts$'];

/**
 * These count for no coverage, and run as users run the code: counters make the model take half as long again, and are
 * no part of the times that are measured.
 */
const uninstrumented = { coveragePathIgnorePatterns: ['<rootDir>/src/'] };

/** The specs of `unit` count these folders, which they are about. All others only use them, and counters are slow. */
const countedByUnit = { coveragePathIgnorePatterns: ['<rootDir>/src/(token|answers|internal|http|axios|connect)/'] };

/**
 * A look-up of a global in Jest's sandbox is slow, and rxjs has one in each loop over subscribers. These are arguments
 * of each module instead, so a history takes three quarters of the time. No spec of the model replaces one of them.
 */
const quickGlobals = {
  sandboxInjectedGlobals: [
    'Array',
    'Date',
    'Error',
    'Infinity',
    'Map',
    'Math',
    'Number',
    'Object',
    'Promise',
    'Reflect',
    'Set',
    'String',
    'Symbol',
    'TypeError',
  ],
};

const servers = {
  globalSetup: '<rootDir>/spec/setup/globalSetup.mjs',
  globalTeardown: '<rootDir>/spec/setup/globalTeardown.mjs',
};

const runner = '<rootDir>/spec/setup/lanes.cjs';
/** All other specs run beside those, at a lower priority, so that they make none of them late. */
const background = { ...base, runner, setupFiles: ['<rootDir>/spec/setup/lowPriority.cjs'] };

/** @type {import('jest').Config} */
module.exports = {
  // Beside those for ALONE and WAITING, whatever the machine: a third of their time is waiting, too. In CI one less, which
  // takes a minute longer, and makes no spec late.
  maxWorkers: process.env.CI ? 2 : 3,
  // Many specs start servers and processes, and the machine may be busy: a test that hangs is what this is for.
  // Jest takes it from here only, not from a project.
  testTimeout: 30_000,
  projects: [
    { ...background, displayName: 'unit', testRegex: UNIT },
    {
      ...background,
      displayName: 'system',
      testRegex: '/spec/.*-spec\\.ts$',
      testPathIgnorePatterns: [
        ...base.testPathIgnorePatterns,
        ...UNIT,
        ...WAITING,
        ...ALONE,
        ...MODEL,
        '/spec/recipes/clients/',
      ],
      ...countedByUnit,
      ...servers,
    },
    {
      ...background,
      displayName: 'waiting',
      testRegex: WAITING,
      testPathIgnorePatterns: [...base.testPathIgnorePatterns, ...ALONE],
      ...countedByUnit,
      ...servers,
    },
    { ...background, displayName: 'model', testRegex: MODEL, ...uninstrumented, ...quickGlobals },
    {
      ...base,
      displayName: 'alone',
      testRegex: ALONE,
      runner,
      ...uninstrumented,
      ...servers,
    },
  ],
  testSequencer: '<rootDir>/spec/setup/slowFirst.cjs',
  reporters: ['default', '<rootDir>/spec/setup/closingLine.cjs'],
  collectCoverageFrom: ['src/**/*.ts', '!src/**/index.ts'],
  coverageReporters: ['text', 'lcov'],
  coverageThreshold: { global: { branches: 95, lines: 95, statements: 95 } },
};
