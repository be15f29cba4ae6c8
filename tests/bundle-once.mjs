// Builds the functions once for all tests: what they run is what deploys, but for the policy, which is the fixtures'
// own, whatever a seller puts into src/products.ts. An .mjs file, so that Node itself loads it, and with it the
// TypeScript that does the work.
import { writeFileSync } from "node:fs";
import path from "node:path";

import { bundleFunctions } from "../scripts/bundling/bundle.ts";

export default async function bundleOnce() {
  const at = (place) => path.resolve(import.meta.dirname, "..", place);
  const bundles = await bundleFunctions({ outdir: at(".build/tests"), policy: at("fixtures/policy.ts") });
  writeFileSync(at(".build/tests.json"), JSON.stringify(bundles));
}
