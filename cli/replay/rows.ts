import { readFileSync } from "node:fs";
import path from "node:path";

import * as z from "zod";

import { type Seed, SeedRows } from "gumroad-emulator/seeds";
import { ConfigError } from "../../src/errors.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures");
const PINGS = path.join(FIXTURES, "pings");
const SEED_LIMIT_MS = 5_000;

const patches = z.record(z.string(), z.record(z.string(), z.unknown()));

/** `fixtures/manifest.json`. */
const manifestShape = z.strictObject({
  about: z.string(),
  /** By the file's name in `fixtures/pings`. */
  bodies: z.record(
    z.string(),
    z.strictObject({
      event: z.string(),
      buyer: z.email(),
      covers: z.string().min(10),
      /** What Gumroad's API shows from the event on; left out for a ping that tells of none. */
      api: z
        .strictObject({
          /** When it happened. */
          at: z.iso.datetime(),
          /** By the id of a row in `fixtures/api/rows.json`: the fields that differ from then on. */
          sales: patches,
          subscribers: patches.optional(),
        })
        .optional(),
    }),
  ),
  stories: z.array(
    z.strictObject({ name: z.string(), pings: z.array(z.string()).min(1),
      roles: z.record(z.email(), z.array(z.string())) }),
  ),
});

/** See {@link manifestShape}. */
export type Manifest = z.infer<typeof manifestShape>;

/** Reads what the wire bodies are and what becomes of their buyers. Throws a ZodError for a manifest that is none. */
export function readManifest(): Manifest {
  return manifestShape.parse(JSON.parse(readFileSync(path.join(FIXTURES, "manifest.json"), "utf8")));
}

/**
 * The rows that Gumroad's API shows once the events of these bodies have happened, in the order in which they did: the
 * order of `pings` changes nothing. `pings` are names in `fixtures/pings`; what the manifest doesn't have shows
 * nothing.
 */
export function rowsFor(pings: readonly string[]): Seed {
  const { bodies } = readManifest();
  const names = [...new Set(pings)].filter((name) => bodies[name]?.api !== undefined).sort();
  const events = names.flatMap((name) => bodies[name]?.api ?? []).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const { sales, unlistedSales, subscribers } = SeedRows.parse(
    JSON.parse(readFileSync(path.join(FIXTURES, "api/rows.json"), "utf8")),
  );
  const ofSales = events.map(({ sales: changes }) => changes);
  return SeedRows.parse({
    sales: shown(sales, ofSales),
    unlistedSales: shown(unlistedSales, ofSales),
    subscribers: shown(subscribers, events.map(({ subscribers: changes }) => changes ?? {})),
    pings: names,
  });
}

/** The rows that the events name, each with its changes on top, the latest last. */
function shown(rows: readonly { readonly id: string }[] = [],
  events: readonly z.infer<typeof patches>[]): Record<string, unknown>[] {
  return rows
    .filter(({ id }) => events.some((changes) => Object.hasOwn(changes, id)))
    .map((row) =>
      events.reduce<Record<string, unknown>>((before, changes) => ({ ...before, ...changes[row.id] }), row)
    );
}

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
