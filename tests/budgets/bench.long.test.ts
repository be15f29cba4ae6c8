import { spawnSync } from "node:child_process";

import { beforeAll, expect, it } from "@jest/globals";
import * as z from "zod";

const outputShape = z.object({
  tables: z.array(z.object({ title: z.string(), columns: z.array(z.string()), rows: z.array(z.array(z.string())) })),
});

let tables: z.infer<typeof outputShape>["tables"] = [];
beforeAll(() => {
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", "bench", "--", "--quick", "--json"], {
    encoding: "utf8",
    maxBuffer: 2 ** 24,
  });
  if (status !== 0) throw new Error(stderr);
  ({ tables } = outputShape.parse(JSON.parse(stdout)));
});

const rowsOf = (title: string) => tables.find((table) => table.title.startsWith(title))?.rows ?? [];

it("counts the calls that a ping takes: none of Auth0's for what is known, three for a first purchase, no token each",
  () => {
    expect(rowsOf("Calls of Auth0 a ping")).toEqual([["first purchase", "3 + 0", "3 + 2"], ["known buyer's next",
      "0 + 0", "2 + 2"], ["the same ping again", "0 + 0", "2 + 2"]]);
  });

it("gives every buyer of a burst the role, at every plan's limits and in real time, and whatever fails", () => {
  const simulated = rowsOf("Bursts of new buyers").filter(([, , way]) => way === "service");
  expect(simulated.map(([buyers, plan, , , granted]) => [buyers, plan, granted])).toEqual([["50", "Free", "50"], ["50",
    "Essentials, Professional", "50"], ["50", "Enterprise", "50"]]);
  expect(rowsOf("A burst of 20").find(([way]) => way === "service")?.[2]).toBe("20");
  const faulty = rowsOf("From a sale to its role").filter(([, way]) => way === "service");
  expect(faulty.map(([, , granted]) => granted)).toEqual(["50 of 50", "50 of 50", "50 of 50"]);
});

it("calls Gumroad once a page in a sweep, and not for each membership that runs", () => {
  expect(rowsOf("Sweeps").map((row) => row.slice(0, 4))).toEqual([["weekly", "500", "0", "50 /sales"], ["daily", "500",
    "0", "6 /products/:id/subscribers"]]);
});

it("measures the start of each bundle and of each command", () => {
  expect(rowsOf("Start of a process").map(([name]) => name)).toContain("ping");
  expect(rowsOf("Start of the tool's commands").length).toBeGreaterThan(10);
});
