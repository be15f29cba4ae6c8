/** `npm run bench`: what people do today and this service, in one run over the same stand-ins. */
import { parseArgs } from "node:util";

import { answers, realBurst } from "./answers.ts";
import { bundled } from "./both-ways.ts";
import { markdown, type Table } from "./figures.ts";
import { accounts } from "./small.ts";
import { commandStarts, starts } from "./starts.ts";
import { sweeps } from "./sweeps.ts";
import { bursts, faults } from "./trials.ts";

const USAGE = `npm run bench [-- --quick] [--json] [--only NAME]
  --quick  a smaller one: a minute instead of ten
  --json   the tables as JSON
  --only   answers, burst, bursts, faults, starts, sweeps, accounts or commands
`;

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false },
    only: { type: "string" }, help: { type: "boolean", default: false } },
});
const { quick } = values;

const parts: Readonly<Record<string, () => Promise<readonly Table[]>>> = {
  answers: () => answers(quick ? { warm: 5, cold: 1 } : { warm: 100, cold: 10 }),
  burst: async () => [await realBurst(quick ? 20 : 200)],
  bursts: async () => [await bursts(quick ? [50] : [200, 10_000])],
  faults: async () => [await faults(quick ? 50 : 1_000)],
  starts: async () => [await starts(await bundles, quick ? 1 : 7)],
  sweeps: async () => [await sweeps(quick ? [500] : [1_000, 10_000, 100_000])],
  accounts: async () => [await accounts(quick ? 50 : 2_000)],
  commands: async () => [commandStarts(quick ? 1 : 3)],
};
const chosen = Object.entries(parts).filter(([name]) => values.only === undefined || values.only === name);

const bundles = bundled();
if (values.help || chosen.length === 0) process.stdout.write(USAGE);
else {
  await bundles;
  const tables: Table[] = [];
  for (const [, part] of chosen) {
    for (const table of await part()) {
      tables.push(table);
      if (!values.json) process.stdout.write(`${markdown(table)}\n\n`);
    }
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ node: process.version, quick, tables }, null, 2)}\n`);
}
