#!/usr/bin/env node
// `npx gumroad-auth0`, also `npm run cli --`: the command line of a deployment, see program.ts.
import { setTimeout as wait } from "node:timers/promises";

import { wantsColours } from "./output.ts";
import { readPolicy } from "./policy.ts";
import { runCli } from "./program.ts";
import { terminalQuestions } from "./questions.ts";
import { openStage } from "./stage/open.ts";

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
  questions: process.stdin.isTTY && process.stderr.isTTY
    ? terminalQuestions({ input: process.stdin, output: process.stderr })
    : null,
  openStage,
  policy: readPolicy,
  now: Date.now,
  wait,
});
