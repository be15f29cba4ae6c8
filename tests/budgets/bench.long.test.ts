import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, it } from "@jest/globals";
import * as z from "zod";

const tableShape = z.object({ title: z.string(), rows: z.array(z.array(z.string())), notes: z.array(z.string()) });
const outputShape = z.object({ parts: z.array(z.object({ name: z.string(), tables: z.array(tableShape) })) });

let tables: readonly z.infer<typeof tableShape>[] = [];
/** A copy of the page that the tables are put into. */
const page = path.join(mkdtempSync(path.join(tmpdir(), "bench-")), "benchmarks.md");

beforeAll(() => {
  copyFileSync("docs/benchmarks.md", page);
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", "bench", "--", "--quick", "--json",
    "--write", page], { encoding: "utf8", maxBuffer: 2 ** 24 });
  // 1: on a busy machine so few rounds can let the handbook's way be ahead.
  if (status !== 0 && !stderr.startsWith("The handbook's way is ahead")) throw new Error(stderr);
  tables = outputShape.parse(JSON.parse(stdout)).parts.flatMap((part) => part.tables);
});
afterAll(() => {
  rmSync(path.dirname(page), { recursive: true });
});

const rowsOf = (title: string) => tables.find((table) => table.title.startsWith(title))?.rows ?? [];

it("counts the calls that a ping takes: none of Auth0's for what is known, three for a first purchase, no token each",
  () => {
    expect(rowsOf("Calls of Auth0 a ping")).toEqual([["first purchase", "3 + 0", "3 + 2", "0.60 ×"], [
      "known buyer's next",
      "0 + 0",
      "2 + 2",
      "0 ×",
    ], ["the same ping again", "0 + 0", "2 + 2", "0 ×"]]);
  });

it("gives every buyer of a burst the role, at every plan's limits and in real time, and whatever fails", () => {
  const simulated = rowsOf("Bursts of new buyers").filter(([, , way]) => way === "service");
  expect(simulated.map(([buyers, plan, , answered, granted]) => [buyers, plan, answered, granted])).toEqual([
    ["50 at once", "Free", "50", "50"],
    ["50 at once", "Essentials, Professional", "50", "50"],
    ["50 at once", "Enterprise", "50", "50"],
  ]);
  expect(rowsOf("A burst of 20").find(([way]) => way === "service")?.[2]).toBe("20");
  const faulty = rowsOf("From a sale to its role").filter(([, way]) => way === "service");
  expect(faulty.map(([, , granted]) => granted)).toEqual(["50 of 50", "50 of 50", "50 of 50"]);
  const notes = tables.find(({ title }) => title.startsWith("From a sale"))?.notes.join("\n");
  expect(notes).toMatch(/503 or reset: the worst of the service is [\d.]+ s, within 5 s/);
  expect(notes).toMatch(/503 or reset: the worst of the service, on trust is [\d.]+ s, within 5 s/);
});

it("calls Gumroad once a page in a sweep, and not for each membership that runs", () => {
  expect(rowsOf("Sweeps").map((row) => row.slice(0, 4))).toEqual([["weekly", "500", "0", "50 /sales"], ["daily", "500",
    "0", "6 /products/:id/subscribers"]]);
});

it("reads a page of the ledger's index for a page of buyers, and single items for one of them, however many there are",
  () => {
    const calls = rowsOf("The tool over a large ledger").map(([what, few, , many]) => [what, few, many]);
    expect(calls.slice(0, 1)).toEqual([["the first 50 buyers", "1", "1"]]);
    expect(calls.filter(([what]) => what === "explain an email").map(([, few, many]) => few === many)).toEqual([true]);
  });

it("puts each table under its heading in the page, with where and when it was measured", () => {
  const text = readFileSync(page, "utf8");
  for (const { title } of tables) expect(text.split(`**${title}**`).length).toBe(2);
  expect(text.match(/^\*\d{4}-\d\d-\d\d \d\d:\d\d UTC, \d+ × .*\*$/gm)?.length).toBe(
    text.match(/<!-- bench /g)?.length,
  );
});

it("counts what a sale costs: few writes, one message", () => {
  const notes = tables.find(({ title }) => title.startsWith("What a sale takes"))?.notes ?? [];
  const [, writes, messages] = /^A sale: ([\d.]+) writes .* ([\d.]+) message/.exec(notes.at(-1) ?? "") ?? [];
  expect(Number(writes)).toBeLessThanOrEqual(7);
  expect(Number(messages)).toBe(1);
});

it("measures the start of each bundle and of each command", () => {
  expect(rowsOf("Start of a process").map(([name]) => name)).toContain("ping");
  expect(rowsOf("Start of the tool's commands").length).toBeGreaterThan(10);
});
