import { randomBytes } from "node:crypto";

import { auth0Directory, type Directory, type DirectoryUser } from "../../src/auth0/directory.ts";
import { type Auth0Credentials, auth0SecretShape } from "../../src/auth0/secret.ts";
import { NeedsPersonError } from "../../src/errors.ts";
import { dynamoHistory } from "../ledger/history.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import { dynamoTombstones } from "../../src/ledger/tombstones.ts";
import { makeKey, storedKey } from "../forget/key.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import type { OperatorFlags } from "../commands/options.ts";
import { NEEDS_ADMIN, operatorAdmin } from "../stage/operator.ts";
import { countOf } from "../replay/settings.ts";
import { bestWay, type SmokeWay, smokeWay, type WayName } from "./ways.ts";
import type { Stage } from "../stage/stage.ts";
import { readStored } from "../stage/secrets.ts";

/** The flags of `smoke`, as commander gives them. */
export interface SmokeFlags extends OperatorFlags {
  readonly role?: string;
  readonly way?: WayName;
  readonly within: string;
  readonly dryRun?: true;
}

/** What the test of one stage works with. */
interface Trial {
  readonly stage: Stage;
  readonly way: SmokeWay;
  readonly directory: Directory;
  readonly buyer: string;
  readonly withinMs: number;
  readonly context: Context;
}

const CALL_MS = 30_000;
/** Between two looks at Auth0: its free plan takes two calls a second. */
const LOCAL_POLL_MS = 100;
const POLL_MS = 1_000;

/** Has a throwaway buyer get a role and lose it. */
export async function smoke(flags: SmokeFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const withinMs = countOf("--within", flags.within) * 1000;
  const policy = await context.policy();
  const stage = await context.stage();
  const way = await smokeWay(flags.way ?? (await bestWay(stage)), stage, policy, flags.role);
  const credentials = await auth0Credentials(stage, context);
  const buyer = `smoke+${randomBytes(6).toString("hex")}@example.com`;
  const about = { stage: stage.name, way: way.name, buyer, roles: way.roles };
  output.say(`${way.about}: ${buyer} is to get ${way.roles.join(", ")}`);
  if (flags.dryRun === true) {
    output.result({ ...about, dryRun: true });
    return EXIT.ok;
  }

  const value = async (): Promise<Auth0Credentials> => credentials;
  const trial: Trial = { stage, way, directory: auth0Directory({ secret: { get: value, reread: value } }), buyer,
    withinMs, context };
  let gainedMs: number | null = null;
  let lostMs: number | null = null;
  let cleaned: Cleaned;
  try {
    gainedMs = await timed(trial, () => way.give(buyer), (roles) => way.roles.every((role) => roles.includes(role)));
    report(trial, "has the role", gainedMs);
    // Also where it did not come: it may be on its way.
    lostMs = await timed(trial, () => way.take(buyer), (roles) => !way.roles.some((role) => roles.includes(role)));
    report(trial, "has lost it again", lostMs);
  } finally {
    cleaned = await cleanUp(trial, flags, credentials);
  }
  output.result({ ...about, dryRun: false, gainedMs, lostMs, ...cleaned });
  return gainedMs !== null && lostMs !== null && cleaned.leftUsers.length === 0 ? EXIT.ok : EXIT.failed;
}

async function auth0Credentials(stage: Stage, { commandLine }: Context): Promise<Auth0Credentials> {
  const stored = await readStored(stage, "auth0");
  if (stored.state === "good") return auth0SecretShape.parse(stored.value);
  throw new NeedsPersonError("SMOKE_AUTH0", `the secret auth0 isn't complete: ${commandLine("setup")}`);
}

/**
 * Does something and waits for what it does to the buyer's roles. Gives the milliseconds, or null if it took too long.
 */
async function timed(trial: Trial, act: () => Promise<void>,
  isDone: (roles: readonly string[]) => boolean): Promise<number | null> {
  const { context, withinMs, stage } = trial;
  const began = performance.now();
  await act();
  for (;;) {
    const roles = (await usersOf(trial)).flatMap((user) => user.roles);
    const took = performance.now() - began;
    if (isDone(roles)) return Math.round(took);
    if (took >= withinMs) return null;
    await context.wait(stage.emulators === null ? POLL_MS : LOCAL_POLL_MS);
  }
}

async function usersOf(
  { directory, buyer }: Trial,
): Promise<readonly (DirectoryUser & { readonly roles: readonly string[] })[]> {
  const signal = AbortSignal.timeout(CALL_MS);
  const users: (DirectoryUser & { readonly roles: readonly string[] })[] = [];
  for (const user of await directory.find(buyer, buyer, signal)) {
    users.push({ ...user, roles: await directory.rolesOf(user.id, signal) });
  }
  return users;
}

function report({ context: { output, commandLine }, withinMs }: Trial, what: string, tookMs: number | null): void {
  if (tookMs !== null) output.say(`${output.tone("good", what)} after ${(tookMs / 1000).toFixed(1)} s`);
  else {output.say(
      output.tone("bad", `not within ${String(withinMs / 1000)} s: ${what}. Why: ${commandLine("doctor")}`),
    );}
}

/** What is left of the buyer, and what not. */
interface Cleaned {
  readonly erasedItems: number;
  readonly deletedUsers: number;
  /** Users at Auth0 that could not be deleted. */
  readonly leftUsers: readonly string[];
}

async function cleanUp(trial: Trial, flags: OperatorFlags, credentials: Auth0Credentials): Promise<Cleaned> {
  const { stage, buyer, way, context } = trial;
  const isSettled = await settled(trial);
  await bury(trial);
  const erasedItems = await dynamoHistory(stage.dynamo, stage.ledger).erase({ email: buyer, sources: way.sources(),
    products: [], received: [] });
  const users = (await usersOf(trial)).filter(({ createdByUs }) => createdByUs);
  const admin = operatorAdmin(flags, stage, context.env, credentials);
  const leftUsers = admin === null ? users.map(({ id }) => id) : [];
  for (const { id } of admin === null ? [] : users) await admin?.deleteUser(id, AbortSignal.timeout(CALL_MS));
  context.output.say(
    `erased: ${String(erasedItems)} items of the ledger, ${String(users.length - leftUsers.length)} users`,
  );
  if (!isSettled) {
    context.output.say(
      "a message about the buyer still waits: it may bring their record back, without the role; nobody is hurt by " +
        "that",
    );
  }
  // The service's own application can't: it has no right to delete anybody.
  if (leftUsers.length > 0) {
    context.output.say(`left at Auth0: ${leftUsers.join(", ")}; delete it there, or ${NEEDS_ADMIN}`);
  }
  return { erasedItems, deletedUsers: users.length - leftUsers.length, leftUsers };
}

/** A sweep finds what the shop sold: without a tombstone it would bring the buyer back. */
async function bury({ stage, buyer, way }: Trial): Promise<void> {
  if (way.name !== "shop" || way.sources().length === 0) return;
  const tombstones = dynamoTombstones(ledgerTable(stage.dynamo, stage.ledger),
    (await storedKey(stage)) ?? (await makeKey(stage)));
  const at = stage.now();
  for (const subject of [`buyer:${buyer}` as const, ...way.sources()]) await tombstones.bury(subject, at);
}

/** Waits until provisioning has written down that it is done, for what it writes later stays. Tells whether it has. */
async function settled({ stage, buyer, withinMs, context }: Trial): Promise<boolean> {
  const ledger = dynamoLedger(ledgerTable(stage.dynamo, stage.ledger));
  const deadline = performance.now() + withinMs;
  for (;;) {
    const { users, unsettled } = await ledger.load(buyer);
    const marks = Object.values(users).flatMap(({ roles }) => Object.values(roles));
    if (unsettled === null && marks.every((mark) => mark === "has")) return true;
    if (performance.now() >= deadline) return false;
    await context.wait(stage.emulators === null ? POLL_MS : LOCAL_POLL_MS);
  }
}
