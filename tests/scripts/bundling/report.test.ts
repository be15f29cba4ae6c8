import { describe, expect, it } from "@jest/globals";

import { overBudget, sizeTable } from "../../../scripts/bundling/report.ts";

const bundle = (name: string, bytes: number) => ({ name, bytes, budget: 2048, path: `/x/${name}.mjs`, inputs: [],
  libraries: {} });

describe("the size report", () => {
  it("shows each bundle beside its budget", () => {
    expect(sizeTable([bundle("ping", 1024), bundle("provision", 2049)])).toBe(
      ["function   bundle  budget", "ping       1.0 KB  2.0 KB  ok", "provision  2.0 KB  2.0 KB  OVER"].join("\n"),
    );
  });

  it("names the bundles over their budget, and no others", () => {
    expect(overBudget([bundle("at", 2048), bundle("over", 2049)])).toEqual(["over"]);
  });
});
