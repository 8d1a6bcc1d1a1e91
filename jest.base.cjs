const tsconfig = {
  target: 'ES2022',
  lib: ['ES2022', 'DOM', 'DOM.Iterable'],
  module: 'commonjs',
  moduleResolution: 'bundler',
  isolatedModules: true,
  esModuleInterop: true,
  allowJs: true,
  sourceMap: true,
};

/** What the projects of jest.config.cjs and the mutation run have in common. */
/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/spec'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/spec/types/'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^rx-fresh-token$': '<rootDir>/src/index.ts',
    '^rx-fresh-token/(.*)$': '<rootDir>/src/$1/index.ts',
  },
  transform: {
    '^.+\\.(ts|mjs)$': ['ts-jest', { tsconfig }],
    '/node_modules/(oauth4webapi|jose|internmap|d3-[a-z-]+)/.+\\.js$': ['ts-jest', { tsconfig }],
  },
  transformIgnorePatterns: ['/node_modules/(?!(@angular|oauth4webapi|jose|internmap|d3-[a-z-]+)/)'],
};
