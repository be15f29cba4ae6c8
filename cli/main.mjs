#!/usr/bin/env node
// `npx gumroad-auth0`: the tool. Plain JavaScript, since it runs on whatever Node the reader has; the tool itself runs
// on the one that package-lock.json pins, from code that was stripped and compiled the first time.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const self = fileURLToPath(import.meta.url);
const root = path.resolve(self, "../..");
const node = path.join(root, "node_modules/node/bin/node");
if (!existsSync(node)) {
  const { status } = spawnSync(process.execPath, ["scripts/ensure-installed.mjs"], { cwd: root,
    stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
}
if (process.features.typescript) {
  module.enableCompileCache(path.join(root, "node_modules/.cache/gumroad-auth0"));
  await import("./main.ts");
} else {
  const { status, error } = spawnSync(node, [self, ...process.argv.slice(2)], { stdio: "inherit" });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
}
