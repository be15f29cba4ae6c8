// The tool at a terminal, see program.ts.
import { setTimeout as wait } from "node:timers/promises";

import { runCli } from "./program.ts";
import { openStage } from "./stage/open.ts";
import { wantsColours } from "./terminal/output.ts";
import { terminalQuestions } from "./terminal/questions.ts";

// Whoever reads no further (`| head`) has what they want.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  print: (text) => {
    process.stdout.write(`${text}\n`);
  },
  complain: (text) => {
    process.stderr.write(`${text}\n`);
  },
  colours: wantsColours(process.stdout.isTTY, process.env),
  // Where nobody says how wide a terminal is, it has 0.
  columns: process.stdout.isTTY ? process.stdout.columns || null : null,
  questions: process.stdin.isTTY && process.stderr.isTTY
    ? terminalQuestions({ input: process.stdin, output: process.stderr })
    : null,
  openStage,
  policy: async () => (await import("../scripts/bundling/policy.ts")).readPolicy(),
  now: Date.now,
  wait,
});
