import path from "node:path";

import * as z from "zod";

import type { Seed } from "gumroad-emulator/seeds";
import { rowsFor } from "../../fixtures/manifest.ts";
import { ConfigError } from "../../src/errors.ts";

export { type Manifest, readManifest, rowsFor } from "../../fixtures/manifest.ts";

const PINGS = path.resolve(import.meta.dirname, "../../fixtures/pings");
const SEED_LIMIT_MS = 5_000;

const seededShape = z.object({ pings: z.array(z.string()) });

/**
 * Puts the rows of the given files into a running Gumroad emulator, together with those of the files it has been given
 * before: a late `sale` must not undo the refund replayed before it. Files that aren't the manifest's are left out.
 * Gives what is in there now, or undefined if there was nothing to put in.
 * @throws {ConfigError} REPLAY_GUMROAD
 */
export async function seedGumroad(emulator: string, files: readonly string[]): Promise<Seed | undefined> {
  const pings = files.map((file) => path.resolve(file)).filter((file) => path.dirname(file) === PINGS).map((file) =>
    path.basename(file)
  );
  if (rowsFor(pings).pings?.length === 0) return undefined;
  const address = `${emulator}/_emulator/seed`;
  try {
    const before = seededShape.parse(
      await (await answered(fetch(address, { signal: AbortSignal.timeout(SEED_LIMIT_MS) }))).json(),
    );
    const rows = rowsFor([...before.pings, ...pings]);
    await answered(
      fetch(address, { method: "POST", body: JSON.stringify(rows), signal: AbortSignal.timeout(SEED_LIMIT_MS) }),
    );
    return rows;
  } catch (cause) {
    throw new ConfigError("REPLAY_GUMROAD", `the Gumroad emulator at ${emulator} takes no rows`, { cause });
  }
}

async function answered(call: Promise<Response>): Promise<Response> {
  const response = await call;
  if (!response.ok) throw new Error(`${String(response.status)} ${await response.text()}`);
  return response;
}
