import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import * as z from "zod";

const lockShape = z.object({
  packages: z.record(z.string(),
    z.object({ resolved: z.string().optional(), integrity: z.string().optional(), link: z.boolean().optional(),
      hasInstallScript: z.boolean().optional() })),
});
const packageShape = z.object({ allowScripts: z.record(z.string(), z.boolean()),
  scripts: z.record(z.string(), z.string()) });
const stepShape = z.object({ uses: z.string().optional(), run: z.string().optional() });
const matrixShape = z.object({ matrix: z.object({ include: z.array(z.object({ script: z.string() })) }) });
const jobShape = z.object({ strategy: matrixShape.optional(),
  needs: z.union([z.string(), z.array(z.string())]).default([]),
  permissions: z.record(z.string(), z.string()).optional(), steps: z.array(stepShape) });
const workflowShape = z.object({ permissions: z.record(z.string(), z.string()),
  jobs: z.record(z.string(), jobShape) });

const { packages } = lockShape.parse(JSON.parse(readFileSync("package-lock.json", "utf8")));
const fetched = Object.entries(packages).filter(([place, { link }]) => place.includes("node_modules/") && !link);
const workflows = readdirSync(".github/workflows").map((file) =>
  workflowShape.parse(parse(readFileSync(`.github/workflows/${file}`, "utf8")))
);

/** What runs the tests, or the longer ones of the night, which stand in a list. */
const TESTS = /\bnpm (?:test|run \$\{\{ matrix\.script)/;

describe("the lock file", () => {
  it("has the hash of every package that is fetched, for other machines too", () => {
    expect(fetched.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-")).map(([place]) => place))
      .toEqual([]);
  });

  it("names no registry", () => {
    expect(Object.values(packages).filter(({ resolved = "" }) => resolved.includes(":"))).toEqual([]);
  });

  it("has no package with an install script that nobody decided on, and runs only that which brings Node", () => {
    const { allowScripts } = packageShape.parse(JSON.parse(readFileSync("package.json", "utf8")));
    const withScript = fetched.filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([place]) => place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length));
    expect(Object.keys(allowScripts).sort()).toEqual([...new Set(withScript)].sort());
    expect(Object.keys(allowScripts).filter((name) => allowScripts[name])).toEqual(["node"]);
  });
});

describe("the workflows", () => {
  const jobs = workflows.flatMap(({ permissions, jobs: own }) =>
    Object.entries(own).map(([name, job]) => ({ name, ...job, permissions: job.permissions ?? permissions }))
  );

  it("pin every action by its commit", () => {
    const used = jobs.flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((each) => !/@[0-9a-f]{40}$/.test(each))).toEqual([]);
  });

  it("give no test a token that a role can be taken with", () => {
    const testing = jobs.filter(({ steps }) => steps.some(({ run = "" }) => TESTS.test(run)));
    expect(testing.map(({ permissions }) => permissions)).toEqual(testing.map(() => ({ contents: "read" })));
    for (const { jobs: own } of workflows) {
      expect(Object.values(own).some(({ steps }) => steps.some(({ run = "" }) => TESTS.test(run)))).toBe(true);
    }
  });

  it("run at night each of the longer scripts that there are", () => {
    const { scripts } = packageShape.parse(JSON.parse(readFileSync("package.json", "utf8")));
    const nightly = jobs.flatMap(({ strategy }) => strategy?.matrix.include ?? []).map(({ script }) =>
      script.split(" ")[0]
    );
    const longer = Object.keys(scripts).filter((name) => /^(?:test:long|hostile|soak|proof:.*)$/.test(name));
    expect(nightly.sort()).toEqual(longer.sort());
  });

  it("deploy only what is on main, after the tests", () => {
    const deploying = jobs.filter(({ steps }) => steps.some(({ run = "" }) => run.includes("npm run deploy")));
    expect(deploying).toMatchObject([{ needs: ["stage", "test"] }]);
    const stage = jobs.find(({ name }) => name === "stage");
    expect(stage?.steps.map(({ run }) => run)).toContain('git merge-base --is-ancestor "$GITHUB_SHA" origin/main');
  });
});
