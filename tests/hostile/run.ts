/** `npm run hostile`: many hostile requests to every route; how many, and from which seed, can be said. */
import path from "node:path";
import { parseArgs } from "node:util";

import { buildOwnBundles } from "../../local/own-bundles.ts";
import { projectRoot } from "../../scripts/project-root.ts";
import { assault } from "./assault.ts";

const { values } = parseArgs({ options: { cases: { type: "string", default: "100000" }, seed: { type: "string" } } });
const cases = Number(values.cases);
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const say = (text: string) => process.stdout.write(`${text}\n`);

if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed)) {
  throw new Error("Usage: npm run hostile -- [--cases 100000] [--seed NUMBER]");
}
say(`${String(cases)} hostile requests, seed ${String(seed)}`);
const bundlesDir = await buildOwnBundles({ policy: path.join(projectRoot, "fixtures/policy.ts") });
const { answers, faults, lines, slowest } = await assault({ bundlesDir, cases, seed, say });
for (const [answer, times] of [...answers].sort()) say(`${String(times).padStart(7)}  ${answer}`);
say(`${String(faults)} met a broken connection; ${String(lines)} lines were logged, all of them ours.`);
say(`The slowest took ${slowest.ms.toFixed(0)} ms: ${slowest.route} with ${String(slowest.bytes)} bytes.`);
say("No 5xx but for those faults, no crash, nothing repeated, no line forged.");
