import { availableParallelism } from "node:os";

/** What `npm test` runs; the rest, `*.long.test.ts`, is jest.long.config.js. */
export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/tests/**/*.test.ts", "<rootDir>/packages/*/tests/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/", "\\.long\\.test\\.ts$"],
  testRunner: "<rootDir>/tests/in-node.mjs",
  transform: {},
  globalSetup: "<rootDir>/tests/bundle-once.mjs",
  // Each loads all libraries once more.
  maxWorkers: Math.min(availableParallelism(), 4),
  // Only what hangs takes this long, also beside four busy loops.
  testTimeout: 300_000,
};
