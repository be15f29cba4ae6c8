/** `npm run bench`: what people do today and this service, in one run over the same stand-ins. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";

import { answers, realBurst } from "./answers.ts";
import { bundled } from "./both-ways.ts";
import { costs } from "./costs.ts";
import { markdown, type Table } from "./figures.ts";
import { largeLedger } from "./large-ledger.ts";
import { accounts } from "./small.ts";
import { commandStarts, starts } from "./starts.ts";
import { sweeps } from "./sweeps.ts";
import { bursts, faults } from "./trials.ts";
import { circumstances, type PartRun, writeInto } from "./write.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false },
    only: { type: "string" }, write: { type: "string" }, help: { type: "boolean", default: false } },
});
const { quick } = values;
const bundles = bundled();

/** By name, in the order of the output. */
const parts: Readonly<Record<string, () => Promise<readonly Table[]>>> = {
  answers: () => answers(quick ? { warm: 5, cold: 1 } : { warm: 100, cold: 10 }),
  burst: async () => [await realBurst(quick ? 20 : 200)],
  bursts: async () => [await bursts(quick ? "small" : "all")],
  faults: async () => [await faults(quick ? 50 : 1_000)],
  starts: async () => [await starts(await bundles, quick ? 1 : 7)],
  commands: async () => [commandStarts(quick ? 1 : 3)],
  sweeps: async () => [await sweeps(quick ? [500] : [1_000, 10_000, 100_000])],
  costs: () => costs(quick ? 2 : 20),
  ledger: async () => [await largeLedger(quick ? [100, 500] : [1_000, 100_000], quick ? 1 : 3)],
  accounts: async () => [await accounts(quick ? 50 : 2_000)],
};
const USAGE = `npm run bench [-- --quick] [--json] [--only NAME] [--write FILE]
  --quick  a smaller one: a minute of it
  --json   the tables as JSON
  --only   ${Object.keys(parts).join(", ")}
  --write  puts the tables between their markers in this file, such as docs/benchmarks.md

Ends with 1 where the handbook's way is ahead on a row for no reason that the bench knows.
`;

const chosen = Object.entries(parts).filter(([name]) => values.only === undefined || values.only === name);
if (values.help || chosen.length === 0) process.stdout.write(USAGE);
else await measure();

async function measure(): Promise<void> {
  await bundles;
  const runs: PartRun[] = [];
  for (const [name, part] of chosen) {
    const [load = 0] = loadavg();
    const began = performance.now();
    const tables = await part();
    const run = { name, tables, load, seconds: (performance.now() - began) / 1_000 };
    runs.push(run);
    if (!values.json) {
      process.stdout.write(`${tables.map(markdown).join("\n\n")}\n\n(${name}: ${circumstances(run, new Date())})\n\n`);
    }
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ node: process.version, quick, parts: runs }, null, 2)}\n`);
  if (values.write !== undefined) writeInto(values.write, runs, new Date());
  const unexplained = runs.flatMap(({ tables }) =>
    tables.flatMap((table) => table.unexplained.map((what) => `${table.title}: ${what}`))
  );
  if (unexplained.length === 0) return;
  process.stderr.write(`The handbook's way is ahead for no known reason:\n  ${unexplained.join("\n  ")}\n`);
  process.exitCode = 1;
}
