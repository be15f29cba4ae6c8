import { randomBytes } from "node:crypto";

import type { DirectoryUser } from "../../src/auth0/directory.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import type { TenantAdmin } from "../admin/tenant-admin.ts";
import { buryAll } from "../forget/bury.ts";
import { makeKey, storedKey } from "../forget/key.ts";
import { dynamoHistory } from "../ledger/history.ts";
import { bestWay, type SmokeWay, smokeWay, type WayName } from "../smoke/ways.ts";
import { serviceCredentials } from "../stage/directory.ts";
import { operatorAdmin, type OperatorApplication } from "../stage/operator.ts";
import { findAll } from "./look.ts";
import { CALL_MS, type Operating } from "./operating.ts";
import { LOCAL_POLL_MS, POLL_MS } from "./outcome.ts";

/** What to try; a way that is left out is the best for the stage, a role the first that the policy gives. */
export interface SmokeRequest {
  readonly way: WayName | undefined;
  readonly role: string | undefined;
}

/** A throwaway buyer, and how they come to their roles. */
export interface SmokeTrial {
  readonly buyer: string;
  readonly way: SmokeWay;
}

/** How long it took (ms) until Auth0 was seen so; null: too long. */
export interface SmokeStep {
  readonly step: "gained" | "lost";
  readonly tookMs: number | null;
}

/** What came of a trial, and what is left of the buyer. */
export interface SmokeReport {
  readonly gainedMs: number | null;
  readonly lostMs: number | null;
  readonly erasedItems: number;
  readonly deletedUsers: number;
  /** Users at Auth0 that nobody here may delete. */
  readonly leftUsers: readonly string[];
  /** Whether nothing about the buyer waits any more: what does may bring the record back. */
  readonly isSettled: boolean;
}

/**
 * Makes ready to try the whole way; changes nothing.
 * @throws {ConfigError} SMOKE_WAY, SMOKE_ROLE; {NeedsPersonError} AUTH0_SECRET
 */
export async function smokeTrial({ way, role }: SmokeRequest, operating: Operating): Promise<SmokeTrial> {
  const { stage, policy, directory } = operating;
  const chosen = await smokeWay(way ?? (await bestWay(stage)), stage, await policy(), role);
  await directory();
  return { buyer: `smoke+${randomBytes(6).toString("hex")}@example.com`, way: chosen };
}

/**
 * Has the throwaway buyer get the roles and lose them, within so many milliseconds each, and erases them, whatever
 * came of it.
 * @throws {NeedsPersonError} SMOKE_SHOP, SMOKE_PING; {ConfigError} BAD_SETTING
 */
export async function smoked(trial: SmokeTrial, withinMs: number, operator: OperatorApplication,
  told: (step: SmokeStep) => void, operating: Operating): Promise<SmokeReport> {
  const { buyer, way } = trial;
  // The service's own application has no right to delete anybody.
  const admin = operatorAdmin(operator, operating.stage, await serviceCredentials(operating));
  const has = (roles: readonly string[]) => way.roles.every((role) => roles.includes(role));
  const lacks = (roles: readonly string[]) => !way.roles.some((role) => roles.includes(role));
  let gainedMs: number | null = null;
  let lostMs: number | null = null;
  let cleaned: Cleaned;
  try {
    gainedMs = await timed(buyer, () => way.give(buyer), has, withinMs, operating);
    told({ step: "gained", tookMs: gainedMs });
    if (gainedMs === null) {
      // It may be on its way; but nobody has lost what never came.
      await way.take(buyer);
    } else {
      lostMs = await timed(buyer, () => way.take(buyer), lacks, withinMs, operating);
      told({ step: "lost", tookMs: lostMs });
    }
  } finally {
    cleaned = await cleanUp(trial, withinMs, admin, operating);
  }
  return { gainedMs, lostMs, ...cleaned };
}

async function timed(buyer: string, act: () => Promise<void>, isDone: (roles: readonly string[]) => boolean,
  withinMs: number, operating: Operating): Promise<number | null> {
  const began = performance.now();
  await act();
  for (;;) {
    const roles = (await usersOf(buyer, operating)).flatMap((user) => user.roles);
    const took = performance.now() - began;
    if (isDone(roles)) return Math.round(took);
    if (took >= withinMs) return null;
    await pause(operating);
  }
}

async function usersOf(buyer: string,
  { directory: open }: Operating): Promise<readonly (DirectoryUser & { readonly roles: readonly string[] })[]> {
  const directory = await open();
  const users: (DirectoryUser & { readonly roles: readonly string[] })[] = [];
  for (const user of (await findAll({ email: buyer, spellings: [] }, directory)).values()) {
    users.push({ ...user, roles: await directory.rolesOf(user.id, AbortSignal.timeout(CALL_MS)) });
  }
  return users;
}

/** Between two looks: Auth0's free plan takes two calls a second. */
async function pause({ stage, wait }: Operating): Promise<void> {
  await wait(stage.emulators === null ? POLL_MS : LOCAL_POLL_MS);
}

type Cleaned = Omit<SmokeReport, "gainedMs" | "lostMs">;

async function cleanUp({ buyer, way }: SmokeTrial, withinMs: number, admin: TenantAdmin | null,
  operating: Operating): Promise<Cleaned> {
  const { stage } = operating;
  const isSettled = await settled(buyer, withinMs, operating);
  await bury({ buyer, way }, operating);
  const erasedItems = await dynamoHistory(stage.dynamo, stage.ledger).erase({ email: buyer, sources: way.sources(),
    products: [], received: [] });
  const users = (await usersOf(buyer, operating)).filter(({ createdByUs }) => createdByUs).map(({ id }) => id);
  if (admin === null) return { erasedItems, deletedUsers: 0, leftUsers: users, isSettled };
  for (const id of users) await admin.deleteUser(id, AbortSignal.timeout(CALL_MS));
  return { erasedItems, deletedUsers: users.length, leftUsers: [], isSettled };
}

/** A sweep finds what the shop sold: without a tombstone it would bring the buyer back. */
async function bury({ buyer, way }: SmokeTrial, { stage, now }: Operating): Promise<void> {
  if (way.name !== "shop" || way.sources().length === 0) return;
  const key = (await storedKey(stage)) ?? (await makeKey(stage));
  await buryAll(ledgerTable(stage.dynamo, stage.ledger), key, [`buyer:${buyer}`, ...way.sources()], now());
}

/** Waits until provisioning has written down that it is done, for what it writes later stays. Tells whether it has. */
async function settled(buyer: string, withinMs: number, operating: Operating): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const { users, unsettled } = await operating.ledger.load(buyer);
    const marks = Object.values(users).flatMap(({ roles }) => Object.values(roles));
    if (unsettled === null && marks.every((mark) => mark === "has")) return true;
    if (performance.now() >= deadline) return false;
    await pause(operating);
  }
}
