import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { ConfigError } from "../../src/errors.ts";
import { isAlive } from "../alive.ts";
import { messageOf, systemCodeOf } from "./errors.ts";

/** A folder that this stack alone writes to. */
export interface DataFolder {
  /** Where the tables are. */
  readonly tables: string;
  /** Lets another stack have it. */
  release(): void;
}

/**
 * Takes a folder for this process; makes it if it isn't there. The store below would not notice a second writer
 * until it is too late to say so.
 * @throws {ConfigError} BAD_DATA_DIR if it can't be written, or a running stack has it
 */
export function takeDataFolder(folder: string): DataFolder {
  const lock = path.join(folder, "in-use-by.pid");
  try {
    mkdirSync(folder, { recursive: true });
    const owner = ownerOf(lock);
    if (owner !== undefined) {
      throw new ConfigError("BAD_DATA_DIR", `${folder} is in use by another stack (process ${String(owner)})`);
    }
    writeFileSync(lock, String(process.pid));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError("BAD_DATA_DIR", `can't keep the tables in ${folder}: ${messageOf(error)}`, { cause: error });
  }
  return { tables: path.join(folder, "tables"), release: () => rmSync(lock, { force: true }) };
}

/** The living process that has the folder. A lock that a killed process left behind counts for nothing. */
function ownerOf(lock: string): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(lock, "utf8"));
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  return isAlive(pid) ? pid : undefined;
}
