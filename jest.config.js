import { availableParallelism } from "node:os";

/** What `npm test` runs; the rest, `*.long.test.ts`, is jest.long.config.js. */
export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/tests/**/*.test.ts", "<rootDir>/packages/*/tests/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/", "\\.long\\.test\\.ts$"],
  testRunner: "<rootDir>/tests/in-node.mjs",
  transform: {},
  globalSetup: "<rootDir>/tests/bundle-once.mjs",
  // One more than there are cores: the pipeline's tests wait for other threads a good part of their time.
  maxWorkers: availableParallelism() + 1,
  // Only what hangs takes this long, also beside four busy loops.
  testTimeout: 300_000,
};
