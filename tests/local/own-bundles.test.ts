import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";

import { buildOwnBundles } from "../../local/own-bundles.ts";

describe("the bundles of a local run", () => {
  it("lie in a folder of its process; what dead ones left behind goes, what living ones use stays", async () => {
    const runs = mkdtempSync(path.join(tmpdir(), "bundles-"));
    for (const run of ["99999999", String(process.ppid), "no process"]) mkdirSync(path.join(runs, run));
    const folder = await buildOwnBundles({ names: ["verify"] }, runs);
    expect(folder).toBe(path.join(runs, String(process.pid)));
    expect(readdirSync(runs).sort()).toEqual([String(process.pid), String(process.ppid)].sort());
    expect(existsSync(path.join(folder, "verify.mjs"))).toBe(true);
    rmSync(runs, { recursive: true });
  });

  it("go by the policy that they are given", async () => {
    const runs = mkdtempSync(path.join(tmpdir(), "bundles-"));
    const policy = path.join(runs, "policy.mjs");
    const folder = await buildOwnBundles({ names: ["ping"], policy }, runs).catch((error: unknown) => error);
    expect(folder).toMatchObject({ code: "BUNDLE_FAILED", message: expect.stringContaining("policy.mjs") });
    rmSync(runs, { recursive: true });
  });
});
