// Builds the functions once for all pipeline tests: what they run is what deploys. An .mjs file, so that Node itself
// loads it, and with it the TypeScript that does the work.
import { bundleFunctions } from "../scripts/bundling/bundle.ts";

export default async function bundleOnce() {
  await bundleFunctions({ outdir: new URL("../.build/tests", import.meta.url).pathname });
}
