// `npm run demo` on whatever Node the reader has: installs if needed, then plays on the Node that came with it. One
// script rather than a hook and a script, so that npm says one line before it.
import { spawnSync } from "node:child_process";

import "./ensure-installed.mjs";

// Ctrl-C reaches the player too, which ends by it in its own time.
process.on("SIGINT", () => undefined);

const { status } = spawnSync("node_modules/.bin/node", ["local/demo.ts", ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
