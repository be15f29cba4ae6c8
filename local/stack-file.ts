import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import * as z from "zod";

import { isAlive } from "./alive.ts";
import { systemCodeOf } from "./aws/errors.ts";

/** What a running `npm start` tells other commands about itself. */
const stackFileShape = z.object({
  pid: z.number(),
  url: z.string(),
  pingUrl: z.string(),
  auth0: z.object({
    /** Where the functions reach Auth0. */
    domain: z.string(),
    /** The emulator's address if the functions use it, directly. */
    emulator: z.string().nullable(),
  }),
  gumroad: z.object({
    /** The emulator's address. */
    emulator: z.string(),
    /** Whether the functions read purchases back from it. */
    readBack: z.boolean(),
  }),
  sqs: z.object({ endpoint: z.string(), queues: z.record(z.string(), z.string()) }),
  dynamodb: z.object({ endpoint: z.string(), tables: z.record(z.string(), z.string()) }),
  /** For whoever calls functions by their names on AWS. */
  lambda: z.object({ endpoint: z.string() }),
  secretsmanager: z.object({ endpoint: z.string() }),
  /** The stage's settings of that name. */
  access: z.enum(["roles", "app_metadata"]),
  gettingIn: z.enum(["invite", "passwordless", "none"]),
  logs: z.string(),
});

/** See {@link stackFileShape}. */
export type StackFile = z.infer<typeof stackFileShape>;

/**
 * Writes `stack-PORT.json`, which holds the ping token and is for its owner only, into the folder and gives its path.
 */
export function writeStackFile(folder: string, port: number, content: StackFile): string {
  mkdirSync(folder, { recursive: true });
  const file = stackFilePath(folder, port);
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  return file;
}

/**
 * The stack that runs on a port; undefined if none does. A file that a killed stack left behind counts for nothing.
 */
export function readStackFile(folder: string, port: number): StackFile | undefined {
  let text: string;
  try {
    text = readFileSync(stackFilePath(folder, port), "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const parsed = stackFileShape.safeParse(JSON.parse(text));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data : undefined;
}

/** Takes the file away. */
export function removeStackFile(file: string): void {
  rmSync(file, { force: true });
}

function stackFilePath(folder: string, port: number): string {
  return path.join(folder, `stack-${String(port)}.json`);
}
