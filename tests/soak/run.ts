/** `npm run soak -- --minutes N`: everything goes wrong for so long, and then all must be right. */
import path from "node:path";
import { parseArgs } from "node:util";

import { buildOwnBundles } from "../../local/own-bundles.ts";
import { projectRoot } from "../../scripts/project-root.ts";
import { shortcomingsOf, soak } from "./soak.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, buyers: { type: "string", default: "3000" },
    seed: { type: "string" } },
});
const [minutes, buyers] = [Number(values.minutes), Number(values.buyers)];
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const say = (text: string) => process.stdout.write(`${text}\n`);

if (!(minutes > 0) || !(buyers >= 30) || !Number.isSafeInteger(seed)) {
  throw new Error("Usage: npm run soak -- [--minutes 10] [--buyers 3000] [--seed NUMBER]");
}
say(`${String(minutes)} minutes, seed ${String(seed)}`);
const bundlesDir = await buildOwnBundles({ policy: path.join(projectRoot, "fixtures/policy.ts") });
const least = { faults: 50, stories: 2, buyers: Math.min(300, Math.floor(buyers / 2)) };
const report = await soak({ minutes, least, seed, bundlesDir, buyers, say });
for (const [kind, times] of report.kinds) say(`${String(times).padStart(7)}  ${kind}`);
say(
  `${String(report.buyers)} buyers, ${String(report.purchases)} purchases, ${String(report.pings)} pings; ${
    String(report.sentBack)
  } letters sent back; the earlier version was ${report.previous ?? "left out: no history to build it from is here"}.`,
);
say(`Heap of provision in MB, quiet at the end: ${report.heap.map((mb) => mb.toFixed(1)).join(", ")}`);
for (const line of [...report.lost, ...report.wrong].slice(0, 50)) say(line);
const faults = shortcomingsOf(report, least);
for (const fault of faults) say(fault);
say(`${String(report.lost.length)} lost, ${String(report.wrong.length)} wrong`);
process.exitCode = faults.length + report.lost.length + report.wrong.length === 0 ? 0 : 1;
