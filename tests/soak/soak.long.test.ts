import { describe, expect, it } from "@jest/globals";

import { TEST_BUNDLES } from "../pipeline/local-stack.ts";
import { seed } from "../properties/arbitraries.ts";
import { shortcomingsOf, soak } from "./soak.ts";

describe(`a minute in which everything goes wrong (seed ${String(seed)})`, () => {
  it("ends with 0 lost, 0 wrong, at least 300 buyers, 50 faults of each kind and flat memory", async () => {
    const least = { faults: 50, stories: 2, buyers: 300 };
    const report = await soak({ minutes: 1, least, seed, bundlesDir: TEST_BUNDLES, buyers: 600,
      say: () => undefined });
    process.stdout.write(`${JSON.stringify(Object.fromEntries(report.kinds))}\n`);
    if (report.previous === null) process.stdout.write("No history here: no earlier version was deployed.\n");
    expect(shortcomingsOf(report, least)).toEqual([]);
    expect(report.lost).toEqual([]);
    expect(report.wrong).toEqual([]);
  }, 900_000);
});
