/**
 * `npm run proof:dynamodb`: the tests of the ledger and the accounts over Amazon's own DynamoDB Local in dynalite's
 * place. It needs Java, and DYNAMODB_LOCAL with the folder that Amazon's archive unpacks to; without, it says so.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

import { projectRoot } from "../scripts/project-root.ts";

const TESTS = ["tests/ledger", "tests/accounts", "tests/dynamo"];

const folder = process.env["DYNAMODB_LOCAL"];
const missing = [
  ...(folder !== undefined && existsSync(path.join(folder, "DynamoDBLocal.jar"))
    ? []
    : ["DYNAMODB_LOCAL, the path of a folder with DynamoDBLocal.jar"]),
  ...(spawnSync("java", ["-version"], { stdio: "ignore" }).status === 0 ? [] : ["java, 17 or newer, in the PATH"]),
];
if (folder === undefined || missing.length > 0) {
  process.stdout.write(
    `SKIPPED: nothing was run against Amazon's DynamoDB Local, for want of ${missing.join(" and ")}.\n`,
  );
  // Whoever names a folder wants it run.
  process.exitCode = folder === undefined ? 0 : 1;
} else {
  const jest = path.join(projectRoot, "node_modules/jest/bin/jest.js");
  const { status } = spawnSync(process.execPath, [jest, ...TESTS], { cwd: projectRoot, stdio: "inherit",
    env: { ...process.env, DYNAMODB_LOCAL: path.resolve(folder), LOG_LEVEL: "SILENT",
      POWERTOOLS_METRICS_DISABLED: "true", NODE_OPTIONS: `--import ${path.join(import.meta.dirname,
        "in-dynalites-place.mjs")} --disable-warning=ExperimentalWarning` } });
  process.exitCode = status ?? 1;
}
