// Builds the functions once for all tests: what they run is what deploys, but for the policy, which is the fixtures'
// own, whatever a seller puts into src/products.ts. An .mjs file, so that Node itself loads it, and with it the
// TypeScript that does the work.
import { writeFileSync } from "node:fs";

import { bundleFunctions } from "../scripts/bundling/bundle.ts";

export default async function bundleOnce() {
  const path = (from) => new URL(from, import.meta.url).pathname;
  const bundles = await bundleFunctions({ outdir: path("../.build/tests"), policy: path("../fixtures/policy.ts") });
  writeFileSync(path("../.build/tests.json"), JSON.stringify(bundles));
}
