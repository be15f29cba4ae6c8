import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";

import { bundleFunctions } from "../../scripts/bundling/bundle.ts";
import { projectRoot } from "../../scripts/project-root.ts";

/** So many changes of what deploys lie between the version before and this one. */
const CHANGES = 12;

/** The functions of an earlier version, and which it is. */
export interface Previous {
  readonly commit: string;
  readonly bundlesDir: string;
}

/**
 * Builds the functions as they were some changes ago, with today's libraries, under the fixtures' policy; null where
 * the history isn't there, as in a shallow clone.
 */
export async function buildPrevious(into: string): Promise<Previous | null> {
  const git = (...args: readonly string[]) =>
    execFileSync("git", args, { cwd: projectRoot, maxBuffer: 64 * 1024 * 1024, stdio: ["ignore", "pipe", "ignore"] });
  let commits: readonly string[];
  try {
    commits = git("log", `-${String(CHANGES + 1)}`, "--format=%H", "--", "src").toString().trim().split("\n");
  } catch {
    return null;
  }
  const commit = commits[CHANGES];
  if (commit === undefined) return null;
  const root = path.join(into, "source");
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  execFileSync("tar", ["-x", "-C", root], { input: git("archive", commit, "src", "serverless.yml") });
  const bundlesDir = path.join(into, "bundles");
  await bundleFunctions({ root, outdir: bundlesDir, policy: path.join(projectRoot, "fixtures/policy.ts"),
    names: KEYS });
  return { commit: commit.slice(0, 7), bundlesDir };
}

/** The functions that a deploy replaces here: those on a ping's way. */
const KEYS = ["ping", "provision", "reconcile"];

/** Puts other bundles in the place of those that run: the next worker of a function is of that version. */
export function deploy(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const key of KEYS) copyFileSync(path.join(from, `${key}.mjs`), path.join(to, `${key}.mjs`));
}
