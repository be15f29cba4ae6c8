import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { summaryOf } from "../../src/ledger/record.ts";
import type { GateCall, GateHook } from "../../local/aws/gate.ts";
import { roleNames } from "../../tenant/role-names.ts";
import type { Stack, StackOptions } from "../../local/stack.ts";
import policy from "../../fixtures/policy.ts";
import { changed, post, recordOf, startLocal, untilNothingInHand } from "../pipeline/local-stack.ts";

/** The role of the fixture sale. */
export const HANDBOOK = "serverless-handbook";

/** A story during which everything stops once, at each of its calls in turn. */
export interface Story {
  readonly name: string;
  /** What was before: done without a crash. */
  readonly before: (stack: Stack, email: string) => Promise<void>;
  /** The ping during which everything stops once; or what is done instead of one. */
  readonly ping: (email: string, stack: Stack) => string | Promise<void>;
  /** What happens after it, and may be stopped as well. */
  readonly after?: (stack: Stack, email: string) => Promise<void>;
  readonly roles: readonly string[];
  /**
   * Which calls are crashed at, where {@link isPoint} agrees; what another story covers need not be covered again.
   * `provisioning`: the ping is queued, its buyer's record was asked for.
   */
  readonly at: (call: GateCall, provisioning: boolean) => boolean;
  /** The calls that must have been among those crashed at: at each of their points, or as it says at its end. */
  readonly passes: readonly string[];
}

/** Crash at the calls of the ping itself. */
export const inPing = (_call: GateCall, provisioning: boolean) => !provisioning;
/**
 * Whether to stop here can leave something else behind than to stop at the point before. Calls come one after the
 * other, and what is between two of them dies with the worker: to stop before a call is to stop after the one before
 * it. Before the first is as after it, because it only reads. Writes to Auth0 and to the queue are stopped on both
 * sides all the same: the call before may be none that the story stops at.
 */
function isPoint({ service, operation, phase }: GateCall): boolean {
  return phase === "after" || writesOutside(service, operation);
}

/** Whether it writes to Auth0 or to the queue. */
function writesOutside(service: string, operation: string): boolean {
  return service === "sqs" ||
    (service === "auth0" && !operation.startsWith("GET ") && operation !== "POST /oauth/token");
}

/** The points of a call as a story names it; without a phase it means all. */
function pointsOf(call: string): readonly string[] {
  if (/ (?:before|after)$/.test(call)) return [call];
  const [service = "", ...operation] = call.split(" ");
  return writesOutside(service, operation.join(" ")) ? [`${call} before`, `${call} after`] : [`${call} after`];
}

/** A purchase of this buyer's own. */
export const sale = (email: string) => changed("sale", { email, sale_id: `of ${email}` });
/** The minute's reconcile; if it is stopped, the next minute's. */
export async function reconcile(stack: Stack): Promise<void> {
  while ((await stack.invoke("reconcile")).kind !== "answer");
}

/** Delivers pings before the story begins. */
export async function settle(stack: Stack, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) expect((await post(stack, text)).status).toBe(200);
  await stack.sqs.idle();
}

/** A stack in which everything can be stopped at a call. */
export interface Stoppable {
  readonly stack: Stack;
  /** What happens at each call of the story that is told. */
  setHook(hook: GateHook): void;
  /** Numbers the stories, so that each has buyers of its own. */
  nextStory(): number;
}

/** Starts one, with a single worker a function unless the options say otherwise. */
export async function startStoppable(options: Partial<StackOptions> = {}): Promise<Stoppable> {
  let hook: GateHook = () => "go";
  let stories = 0;
  const stack = await startLocal({ roles: [...roleNames(policy), "vip"], maxWorkers: 1, ...options,
    onCall: (call) => hook(call) });
  return { stack, setHook: (next) => {
    hook = next;
  }, nextStory: () => (stories += 1) };
}

/** Tells each story, stopped everywhere, over one stack for all: each has buyers of its own. */
export function tellEverywhere(stories: readonly Story[]): void {
  describe("wherever everything stops, this ends right, with no user twice and no foreign role touched", () => {
    let stoppable: Stoppable;
    beforeAll(async () => {
      stoppable = await startStoppable();
    });
    afterAll(async () => {
      await stoppable.stack.stop();
    });

    it.each(stories)("$name", (story) => stopEverywhere(stoppable, story));
  });
}

/**
 * Tells a story again and again, each time stopping everything at the next of its calls, and expects it to end right:
 * its roles, one user, at most one invitation, no foreign role touched, nothing left to do, nothing in the dead-letter
 * queue.
 */
export async function stopEverywhere({ stack, setHook, nextStory }: Stoppable,
  { before, ping, after, roles, at, passes }: Story): Promise<void> {
  let countdown = Number.POSITIVE_INFINITY;
  let crashedAt: string | undefined;
  let provisioning = false;
  setHook((call) => {
    provisioning ||= call.service === "dynamodb";
    if (isPoint(call) && at(call, provisioning)) countdown -= 1;
    if (countdown !== 0) return "go";
    countdown = Number.POSITIVE_INFINITY;
    crashedAt = `${call.service} ${call.operation} ${call.phase}`;
    return "crash";
  });
  const points: string[] = [];
  const story = nextStory();
  for (let point = 1;; point += 1) {
    const email = `buyer${String(point)}.${String(story)}@example.com`;
    countdown = Number.POSITIVE_INFINITY;
    await before(stack, email);
    crashedAt = undefined;
    provisioning = false;
    countdown = point;
    const happens = ping(email, stack);
    if (typeof happens === "string") await posted(stack, happens);
    else await happens;
    await untilDone(stack);
    await after?.(stack, email);

    const told = `${crashedAt ?? "nowhere"} (point ${String(point)})`;
    expect({ told, roles: stack.auth0.rolesOfEmail(email) }).toEqual({ told, roles });
    expect({ told, invitations: stack.auth0.passwordMails.filter(({ to }) => to === email).length <= 1 }).toEqual({
      told,
      invitations: true,
    });
    expect({ told, users: stack.auth0.users().filter((user) => user.email === email).length }).toEqual({ told,
      users: 1 });
    const record = (await recordOf(stack, email))!;
    // What was called for when everything ended is set once more in a minute.
    expect({ told, waits: summaryOf(record).waits, isDue: record.dueAt !== null && crashedAt === undefined }).toEqual({
      told,
      waits: [],
      isDue: false,
    });
    if (crashedAt === undefined) break;
    points.push(crashedAt);
  }
  expect(await stack.sqs.deadLetters()).toEqual([]);
  expect(points).toEqual(expect.arrayContaining(passes.flatMap(pointsOf)));
}

/** Posts a ping as Gumroad does, which sends again after a 5xx. */
async function posted(stack: Stack, text: string): Promise<void> {
  let { status } = await post(stack, text);
  for (let retry = 1; status !== 200 && retry <= 3; retry += 1) {
    status = (await post(stack, `${text}&retry_count=${String(retry)}`)).status;
  }
  expect(status).toBe(200);
}

/**
 * Looks in a row at which nobody had a message in hand: at fewer, a worker may be just about to take or to delete it.
 */
const LOOKS = 5;

/** Longer than the shortest time that a message is put off for, and less than what a worker has (ms). */
const PUT_OFF_MS = 4 * 60_000;

/**
 * Waits until the queue is empty, or holds nothing but so many messages that were put off for later; what a crashed
 * worker held comes back as if its visibility time-out had passed.
 */
export async function untilDone(stack: Stack, putOff = 0): Promise<void> {
  for (let looks = 0;;) {
    const { waiting, inFlight } = await stack.sqs.inspect("ProvisionQueue");
    const left = inFlight.filter(({ visibilityDeadline }) =>
      putOff === 0 || visibilityDeadline > Date.now() + PUT_OFF_MS
    );
    if (waiting.length + left.length === 0 && inFlight.length === putOff && stack.inHand() === 0) return;
    looks = left.length > 0 && stack.inHand() === 0 ? looks + 1 : 0;
    if (looks === LOOKS) {
      await stack.redeliver();
      looks = 0;
    }
    if (await untilNothingInHand(stack)) looks = 0;
  }
}
