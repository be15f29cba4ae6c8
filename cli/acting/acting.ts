import type { ActFlags } from "../commands/options.ts";

import type { Act, SourceId } from "../../src/access/facts.ts";
import { type Policy, roleNames } from "../../src/access/policy.ts";
import { tenantAdmin } from "../admin/tenant-admin.ts";
import { ConfigError } from "../../src/errors.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { changesOf } from "../../src/provisioning/marks.ts";
import { sqsQueue } from "../../src/queue/queue.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operatorName } from "../stage/operator.ts";
import { countOf } from "../replay/settings.ts";
import type { Stage } from "../stage/stage.ts";
import { serviceCredentials } from "../stage/directory.ts";

/** Who acts, and why: both are kept with the act, and shown by `explain`. */
export interface Signature {
  readonly by: string;
  readonly why: string;
}

/** What became of an act: done; taken in, but something keeps it from Auth0; or not seen in the record in time. */
export type ActOutcome = { readonly state: "applied" } | { readonly state: "waits"; readonly code: string;
  readonly message: string } | { readonly state: "not seen" };

/** Roles before and after. */
export interface RoleDifference {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const CALL_MS = 30_000;
const LOCAL_POLL_MS = 100;
const POLL_MS = 1_000;
/** A record that nobody has written for so long (ms) waits for something. */
const CALM_MS = 1_500;

/**
 * Who acts and why, asked for where it is missing.
 * @throws {ConfigError} WHY_MISSING
 */
export async function signatureOf({ by, why }: ActFlags, { questions }: Context): Promise<Signature> {
  const reason = (why ?? (await questions?.ask("Why")) ?? "").trim();
  if (reason === "") {
    throw new ConfigError("WHY_MISSING", "say why with --why: it is kept with the act, for whoever asks later");
  }
  return { by: operatorName(by), why: reason };
}

/**
 * Checks that a role can be given.
 * @throws {ConfigError} ROLE_UNKNOWN, naming those that there are
 */
export async function knownRole(role: string, policy: Policy, context: Context): Promise<void> {
  const inPolicy = roleNames(policy);
  if (inPolicy.includes(role)) return;
  const there = await tenantAdmin(await serviceCredentials(context)).roleNames(AbortSignal.timeout(CALL_MS));
  if (there.includes(role)) return;
  throw new ConfigError("ROLE_UNKNOWN",
    `there is no role "${role}", in src/products.ts or at Auth0; there are: ${
      [...new Set([...inPolicy, ...there])].sort().join(", ")
    }`);
}

/** What changes, in words: `gets club, loses basic`. */
export function differenceWords({ before, after }: RoleDifference): string {
  const gets = after.filter((role) => !before.includes(role));
  const loses = before.filter((role) => !after.includes(role));
  const words = [gets.length === 0 ? "" : `gets ${gets.join(", ")}`,
    loses.length === 0 ? "" : `loses ${loses.join(", ")}`].filter((part) => part !== "");
  return words.length > 0
    ? words.join(", ")
    : `keeps the same roles (${after.length === 0 ? "none" : after.join(", ")})`;
}

/** Sends acts to the one writer. Errors are those of `Queue.send`. */
export async function sendAct(stage: Stage, buyer: string, source: SourceId, act: Act): Promise<void> {
  await queueOf(stage).send({ v: 1, kind: "act", requestId: act.id, buyer, hops: 0, source, act }, `act ${act.id}`);
}

/** The stage's queue. */
export function queueOf(stage: Stage): ReturnType<typeof sqsQueue> {
  return sqsQueue(stage.sqs, { queue: stage.queue, deadLetters: stage.deadLetters });
}

/** Waits until a buyer's record has taken something in (`isTaken`) and Auth0 matches it. */
export async function outcomeFor(buyer: string, isTaken: (record: BuyerRecord) => boolean,
  { within }: Pick<ActFlags, "within">, context: Context): Promise<ActOutcome> {
  const withinMs = countOf("--within", within) * 1000;
  const stage = await context.stage();
  const ledger = dynamoLedger(stage.dynamo, stage.ledger);
  const began = performance.now();
  let seen = { version: -1, since: began };
  for (;;) {
    const record = await ledger.load(buyer);
    const now = performance.now();
    if (record.version !== seen.version) seen = { version: record.version, since: now };
    const taken = isTaken(record);
    if (taken && isSettled(record)) return { state: "applied" };
    const isOver = now - began >= withinMs;
    if (taken && record.unsettled !== null && (isOver || now - seen.since >= CALM_MS)) {
      return { state: "waits", code: record.unsettled.code, message: record.unsettled.message };
    }
    if (isOver) {
      return taken ? { state: "waits", code: "CHANGING", message: "Auth0 isn't changed yet." } : { state: "not seen" };
    }
    await context.wait(stage.emulators === null ? POLL_MS : LOCAL_POLL_MS);
  }
}

/** Whether a record holds this act, or one made since. */
export function hasAct(record: BuyerRecord, source: SourceId, act: Pick<Act, "id" | "at">): boolean {
  const last = record.sources[source]?.act ?? null;
  return last !== null && (last.id === act.id || last.at > act.at);
}

/** Says what became of an act; true if it is done. */
export function tellOutcome(buyer: string, outcome: ActOutcome, { within }: Pick<ActFlags, "within">,
  { output, commandLine }: Context): boolean {
  switch (outcome.state) {
    case "applied":
      return true;
    case "waits":
      output.say(
        output.tone("warning",
          `recorded for ${buyer}, but it waits: ${outcome.message} (${outcome.code}). It goes on by itself; ${
            commandLine(`explain ${buyer}`)
          } shows how far`),
      );
      return false;
    case "not seen":
      output.say(
        output.tone("bad",
          `sent for ${buyer}, but not taken in within ${within} s: ${
            commandLine("status")
          } shows the queue, and what could not be taken`),
      );
      return false;
  }
}

function isSettled(record: BuyerRecord): boolean {
  const isWithoutUser = Object.keys(record.users).length === 0 &&
    Object.values(record.gave).some((roles) => (roles ?? []).length > 0);
  return record.unsettled === null && changesOf(record).length === 0 && !isWithoutUser;
}

/**
 * An act on a buyer's source, as it is told to scripts; `about` says what it comes to. A dry run ends here; else it is
 * sent, and waited for.
 */
export async function carryOut(
  { buyer, source, act }: { readonly buyer: string; readonly source: SourceId; readonly act: Act },
  about: Readonly<Record<string, unknown>>,
  flags: ActFlags,
  context: Context,
): Promise<ExitCode> {
  const { output } = context;
  if (flags.dryRun === true) {
    output.result(about);
    return EXIT.ok;
  }
  await sendAct(await context.stage(), buyer, source, act);
  const outcome = await outcomeFor(buyer, (latest) => hasAct(latest, source, act), flags, context);
  output.result({ ...about, by: act.by, why: act.why, outcome });
  if (!tellOutcome(buyer, outcome, flags, context)) return EXIT.failed;
  output.say(output.tone("good", "done"));
  return EXIT.ok;
}
