import short from "./jest.config.js";

/** `npm run test:long`: what takes longer than one waits for before each commit. */
export default { ...short, testMatch: short.testMatch.map((glob) => glob.replace(".test.ts", ".long.test.ts")),
  testPathIgnorePatterns: ["/node_modules/"] };
