import { readdirSync, statSync } from "node:fs";
import path from "node:path";

import { ConfigError } from "../../src/errors.ts";

/** Where pings go. */
export interface ReplayTarget {
  /** Without userinfo: `fetch` takes none. */
  readonly url: URL;
  /** For a ping URL with userinfo, which Gumroad sends as HTTP Basic auth. */
  readonly authorization: string | undefined;
}

/**
 * The ping URL of `--to` and `--token`: a URL without a path (the API's address) gets `/ping/TOKEN`.
 * @throws {ConfigError} REPLAY_SETTING
 */
export function replayTarget(to: string, token: string): ReplayTarget {
  if (!URL.canParse(to) || !/^https?:$/.test(new URL(to).protocol)) {
    throw new ConfigError("REPLAY_SETTING", `--to ${to} is no http or https URL`);
  }
  const url = new URL(to);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (url.pathname === "/") url.pathname = `/ping/${encodeURIComponent(token)}`;
  const userinfo = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url,
    authorization: username === "" && password === ""
      ? undefined
      : `Basic ${Buffer.from(userinfo).toString("base64")}` };
}

/**
 * The files to post: each path itself, or a folder's `*.txt` in the order of their names.
 * @throws {ConfigError} REPLAY_FILE naming the path that isn't there, or the folder without any
 */
export function replayFiles(paths: readonly string[]): string[] {
  return paths.flatMap((given) => {
    const found = statSync(given, { throwIfNoEntry: false });
    if (found === undefined) throw new ConfigError("REPLAY_FILE", `there is no file or folder ${given}`);
    if (!found.isDirectory()) return [given];
    const files = readdirSync(given).filter((name) => name.endsWith(".txt")).sort();
    if (files.length === 0) throw new ConfigError("REPLAY_FILE", `the folder ${given} has no .txt files`);
    return files.map((name) => path.join(given, name));
  });
}

/**
 * A whole number from 1 on.
 * @throws {ConfigError} REPLAY_SETTING
 */
export function countOf(flag: string, value: string): number {
  const count = Number(value);
  if (/^\d+$/.test(value) && count >= 1) return count;
  throw new ConfigError("REPLAY_SETTING", `${flag} ${value} is no whole number from 1 on`);
}
