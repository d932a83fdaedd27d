/** @type {import('jest').Config} */
const config = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.tmp/'],
  transform: {
    // The checks of the fault harness, which jest would not load as modules.
    '\\.mjs$': ['@swc/jest', { module: { type: 'commonjs' } }],
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // More than cores, on the smallest machine: a test mostly waits for the runs that it has started, or for cron.
  maxWorkers: 3,
  testTimeout: 30_000,
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts'],
  coverageDirectory: 'coverage/jest',
  coverageReporters: ['json'],
};

export default config;
