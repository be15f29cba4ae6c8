import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

import type { Auth0Emulator } from "auth0-emulator";
import type { GumroadEmulator } from "gumroad-emulator";
import * as z from "zod";

import { ConfigError } from "../src/errors.ts";
import { systemCodeOf } from "./aws/errors.ts";

/** What a stack remembers beside its tables. */
export interface Remembering {
  readonly auth0: Auth0Emulator;
  readonly gumroad: GumroadEmulator;
  /** How far the calendar runs ahead of the machine's (ms). */
  readonly ahead: () => number;
  readonly setAhead: (milliseconds: number) => void;
}

/** A stack's memory in its data folder. */
export interface KeptState {
  /** Writes it, whole or not at all, if it has changed since. */
  save(): void;
}

const bytes = z.base64().transform((text) => Buffer.from(text, "base64"));
const stateShape = z.object({ aheadMs: z.number(), auth0: bytes, gumroad: bytes });

/**
 * Gives a stack back what the last one in this folder remembered: users and roles at Auth0, the shop's books, and the
 * time that it had come to, which must not run backwards under the facts in the tables.
 * @throws {ConfigError} BAD_DATA_DIR if it can't be read
 */
export function keepState(dataDir: string, { auth0, gumroad, ahead, setAhead }: Remembering): KeptState {
  const file = path.join(dataDir, "emulators.json");
  let last = readIfThere(file);
  try {
    if (last !== undefined) {
      const state = stateShape.parse(JSON.parse(last));
      setAhead(state.aheadMs);
      auth0.restore(state.auth0);
      gumroad.restore(state.gumroad);
    }
  } catch (cause) {
    throw new ConfigError("BAD_DATA_DIR",
      `${file} is not what this version of npm start wrote; start with another folder, or delete this one`, { cause });
  }
  return { save() {
    const text = JSON.stringify({ aheadMs: ahead(), auth0: base64(auth0.snapshot()),
      gumroad: base64(gumroad.snapshot()) });
    if (text === last) return;
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    last = text;
  } };
}

function base64(snapshot: Uint8Array): string {
  return Buffer.from(snapshot).toString("base64");
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
