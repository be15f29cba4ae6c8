import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";

const root = path.resolve(import.meta.dirname, "../..");

/** What a reader without a terminal sees, and how it ends. */
async function demo(...args: string[]): Promise<{ readonly code: number | null; readonly lines: readonly string[] }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ["local/demo.ts", ...args], { cwd: root,
      env: { PATH: process.env["PATH"] } }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, lines: `${stdout}${stderr}`.trimEnd().split("\n") });
    });
  });
}

describe("npm run demo", () => {
  it("shows the main job in a screenful, and ends with 0", async () => {
    const { code, lines } = await demo();
    expect({ code, table: lines.slice(6, -3) }).toEqual({ code: 0, table: [
      "What happens                    Gumroad's ping        Who  Roles at Auth0 then",
      "------------------------------  --------------------  ---  -------------------",
      "Ann buys the handbook           sale                  ann  serverless-handbook",
      "Gumroad sends that ping again   sale                  ann  serverless-handbook",
      "Ann gets her money back         refund                ann  none",
      "",
      "Eve joins the club, tier Basic  sale                  eve  club",
      "Eve pays for a second month     sale                  eve  club",
      "Eve upgrades to Premium         subscription_updated  eve  club, club-premium",
      "Eve cancels, paid until March   cancellation          eve  club, club-premium",
      "March: the membership ends      subscription_ended    eve  none",
      "",
      "Dee gives Cy the handbook       sale                  cy   serverless-handbook",
      "                                                      dee  none",
    ] });
    expect(lines.at(-2)).toMatch(/^✓ Every role is what fixtures\/manifest\.json says/);
    expect(lines.length).toBeLessThan(40);
    const inReadme = readFileSync(path.join(root, "README.md"), "utf8").split("\n");
    expect(lines.filter((line) => !inReadme.includes(line) && !line.startsWith("✓"))).toEqual([]);
    expect(inReadme[inReadme.findIndex((line) => line.startsWith("✓ Every role")) + 2]).toBe("```");
  });

  it("says what it takes, and what it doesn't know", async () => {
    expect(await demo("--help")).toMatchObject({ code: 0,
      lines: expect.arrayContaining([expect.stringMatching(/^npm run demo /),
        expect.stringMatching(/^ {2}--open /)]) });
    expect(await demo("--opne")).toMatchObject({ code: 1,
      lines: [expect.stringContaining("Unknown option '--opne'")] });
  });

  it("says which role is not what the manifest says, and ends with 1", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "demo-"));
    const manifest = path.join(folder, "manifest.json");
    const said = readFileSync(path.join(root, "fixtures/manifest.json"), "utf8");
    writeFileSync(manifest,
      said.replaceAll('"cy@example.com": ["serverless-handbook"]', '"cy@example.com": ["react-for-dataviz"]'));
    const { code, lines } = await demo(manifest);
    rmSync(folder, { recursive: true });
    expect(code).toBe(1);
    expect(lines.filter((line) => line.includes("✗"))).toEqual([
      "Dee gives Cy the handbook       sale                  cy   serverless-handbook  ✗ " +
      "the manifest says: react-for-dataviz",
      "✗ 1 of these roles is not what the manifest says.",
    ]);
  });
});
