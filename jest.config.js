import { availableParallelism } from "node:os";

/**
 * What `npm test` runs; the rest, `*.long.test.ts`, is jest.long.config.js. The script `unit` gives V8 room for 16 MB
 * of young objects from the start, also in the Lambda workers: loading bundles grew it bit by bit, an eighth of all
 * the time.
 */
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
  // The auth0 SDK leaves its own time-out running when a connection breaks under a call.
  forceExit: true,
};
