import { execFile } from "node:child_process";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";

import { projectRoot } from "../../scripts/project-root.ts";

/** Runs a script as npm would, with no AWS credentials. */
const run = (command: string, ...args: string[]) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [path.join(projectRoot, "scripts", command), ...args], {
      env: { PATH: process.env["PATH"] },
    }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });

describe("npm run deploy", () => {
  it("deploys nothing without a stage", async () => {
    expect(await run("deploy.ts")).toEqual({ code: 1, stdout: "",
      stderr: "Say which stage to deploy: npm run deploy -- --stage prod\n" });
  });

  it("refuses a stage that can't be part of a name, in one line", async () => {
    const { code, stderr } = await run("deploy.ts", "--stage", "Prod!");
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
  });
});

describe("npm run package and npm run deploy", () => {
  it.each(["package", "deploy"])("say what they take, and do nothing, for --help: %s", async (command) => {
    const { code, stdout, stderr } = await run(`${command}.ts`, "--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^npm run ${command} `));
    expect(stdout).toMatch(/--param NAME=VALUE[^]*tokenSeconds +a number from 60 to 86400/);
  });

  it.each(["package.ts", "deploy.ts"])("refuse a parameter that can't be, before anything is built: %s",
    async (script) => {
      expect(await run(script, "--stage", "prod", "--param", "access=meta")).toEqual({ code: 1, stdout: "",
        stderr: '--param "access=meta": it takes roles, app_metadata; did you mean app_metadata?\n' });
    });
});

describe("npm run package", () => {
  it("refuses a stage that can't be part of a name, in one line", async () => {
    const { code, stderr } = await run("package.ts", "--stage", "Prod!");
    expect({ code, stderr }).toEqual({ code: 1,
      stderr: "--stage needs a name of lower-case letters, digits and hyphens, 20 at most, such as prod.\n" });
  });
});
