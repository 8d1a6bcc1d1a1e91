/**
 * Breaks the code in thousands of small ways, and asks whether any spec notices.
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  mutate: ['src/{answers,token,http,internal}/**/*.ts', '!src/**/types.ts'],
  buildCommand: 'node spec/mutation/bundle.mjs',
  testRunner: 'jest',
  plugins: ['@stryker-mutator/jest-runner'],
  jest: { projectType: 'custom', configFile: 'jest.mutation.config.cjs', enableFindRelatedTests: false },
  // Of the few specs of MUTATION_SPECS (spec/mutation/bundle.mjs) those that reach the mutant. To look for each of all
  // specs in a pattern of their names would take longer than the specs.
  coverageAnalysis: process.env.MUTATION_SPECS ? 'perTest' : 'all',
  concurrency: 2,
  // A mutant that hangs is killed: what a spec takes, and as much again under load.
  timeoutMS: 5_000,
  timeoutFactor: 1.5,
  reporters: ['clear-text', 'progress-append-only', 'json', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  jsonReporter: { fileName: 'reports/mutation/mutation.json' },
  htmlReporter: { fileName: 'reports/mutation/mutation.html' },
  ignorePatterns: ['/dist', '/coverage', '/examples', '/bench', '/docs', '/reports', '/site'],
  tempDirName: '.stryker-tmp',
  thresholds: { high: 95, low: 90, break: 90 },
};
