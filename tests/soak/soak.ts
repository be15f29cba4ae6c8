import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, ReceiveMessageCommand, DeleteMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

import { CREDENTIALS, REGION } from "../../local/aws/account.ts";
import { startStack, type Stack } from "../../local/stack.ts";
import { projectRoot } from "../../scripts/project-root.ts";
import { parseForm, withoutRetryCount } from "../../src/gumroad/form.ts";
import { isTestPing, readPing } from "../../src/gumroad/ping.ts";
import { roleNames } from "../../tenant/role-names.ts";
import { digest, readMessage } from "../../src/queue/message.ts";
import policy from "../../fixtures/policy.ts";
import { lateMail } from "../pipeline/late-mail.ts";
import { sendHeld } from "../pipeline/operator-messages.ts";
import { buyerEmail, HANDBOOK, letLive, randomFrom, randomShopProducts } from "../pipeline/random-shop.ts";
import { reconcile, waitsOver, workOff } from "../pipeline/working-off.ts";
import { startClaiming } from "./claiming.ts";
import { AUTH0_LIMIT, CALL_MISHAPS, mishaps, PATIENCE } from "./mishaps.ts";
import { stories, STORIES } from "./people.ts";
import { buildPrevious, deploy } from "./previous.ts";
import { TROUBLES, troubles, type Trouble } from "./troubles.ts";

/** How to run one. */
export interface SoakOptions {
  readonly minutes: number;
  /**
   * It goes on until each kind of fault and of story came so often, and so many bought, but not for ever: then
   * {@link shortcomingsOf} names what never came.
   */
  readonly least: { readonly faults: number; readonly stories: number; readonly buyers: number };
  readonly seed: number;
  /** The functions of this version. */
  readonly bundlesDir: string;
  /** Buyers to draw from. */
  readonly buyers: number;
  readonly say: (text: string) => void;
}

/** What it came to. */
export interface SoakReport {
  readonly buyers: number;
  readonly purchases: number;
  readonly pings: number;
  /** Times that each kind of fault and story came, in order. */
  readonly kinds: ReadonlyMap<string, number>;
  /** The earlier version that was deployed meanwhile; null where no history to build it from is there. */
  readonly previous: string | null;
  /** Letters that were sent back from the dead-letter queue, as the runbook says. */
  readonly sentBack: number;
  /** Pings that were answered 200 and of whose purchase nothing is in the ledger. */
  readonly lost: readonly string[];
  /** Users whose roles aren't those of the books, or who are there twice, or missing. */
  readonly wrong: readonly string[];
  /** Heap of the provision worker that uses most, after each portion of quiet work, in MB. */
  readonly heap: readonly number[];
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const OPENING = Date.parse("2030-01-07T12:00:00Z");
/** Purchases between two times that the mail comes. */
const PORTION = 80;
/** More than on AWS, where two keep within the limit of Auth0's free plan: a worker waits most of the time, here. */
const WORKERS = 6;
/** How wrong a worker's clock is at most, in either direction (ms). */
const SKEW_MS = 30_000;
/** So often something befalls the whole (ms); a secret that the service asks Auth0 with, less often. */
const TROUBLE_MS = 500;
const ROTATION_MS = 11_000;
/** Where nobody has had a message in hand for so long (ms), time moves. */
const STANDSTILL_MS = 100;
const QUIET_PORTIONS = 8;
/** For what comes too rarely, the storm lasts so many times as long as it should, and this besides (ms). */
const OVERTIME = 4;
const OVERTIME_MS = 6 * MINUTE;

/**
 * Lets a shop live under faults of every kind, then without, and compares: each buyer's roles with the shop's books,
 * each ping that was acknowledged with the ledger.
 */
export async function soak({ minutes, least, seed, bundlesDir, buyers, say }: SoakOptions): Promise<SoakReport> {
  // Within the project, so that the earlier version finds its libraries.
  mkdirSync(path.join(projectRoot, ".local"), { recursive: true });
  const folder = mkdtempSync(path.join(projectRoot, ".local/soak-"));
  const running = path.join(folder, "running");
  cpSync(bundlesDir, running, { recursive: true });
  const previous = await buildPrevious(path.join(folder, "previous"));
  const random = (purpose: string) => randomFrom(seed, purpose);
  const skewOf = random("clocks");
  const kinds = new Map<string, number>(
    [...CALL_MISHAPS, ...TROUBLES, "clock skew", ...(previous === null ? [] : [EARLIER]), ...STORIES].map((
      kind,
    ) => [kind, 0]),
  );
  const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  let isStormy = false;

  /** Pings that the queue holds or held, by their id: SQS carried out the call. */
  const queued = new Set<string>();
  const calls = mishaps({ random: random("calls"), areOn: () => isStormy,
    interfere: async (buyer) => touch(dynamo, tableOf(stack), buyer) });
  const environmentOf = (key: string) => ({
    LOG_LEVEL: "SILENT",
    POWERTOOLS_METRICS_DISABLED: "true",
    // Without faults only a busy machine makes anybody wait.
    PATIENCE: key === "ping" || !isStormy ? "1" : String(PATIENCE),
    CLOCK_SKEW_MS: isStormy && key !== "ping" ? skewed() : "0",
  });
  const skewed = () => {
    count("clock skew");
    return String(Math.round((skewOf() - 0.5) * 2 * SKEW_MS));
  };
  const mail = lateMail(() => stack.gumroad, random("mail"));
  const products = randomShopProducts(OPENING + 30 * DAY).map((product) =>
    product.kind === "bundle"
      ? { ...product, contains: product.contains.filter((id) => id !== HANDBOOK) }
      : { ...product, licensed: product.id === HANDBOOK }
  );
  const claiming = await startClaiming();
  const templateFile = path.join(folder, "serverless.yml");
  writeFileSync(templateFile,
    readFileSync(path.join(projectRoot, "serverless.yml"), "utf8").replace(/maximumConcurrency: \d+/,
      `maximumConcurrency: ${String(WORKERS)}`));
  const stack = await startStack({
    bundlesDir: running,
    templateFile,
    roles: roleNames(policy),
    readBack: true,
    maxWorkers: WORKERS,
    auth0: { limits: AUTH0_LIMIT },
    // Asked anew for each worker.
    environment: { get ping() {
      return environmentOf("ping");
    }, get provision() {
      return environmentOf("provision");
    }, get reconcile() {
      return environmentOf("reconcile");
    }, claim: claiming.environment, login: { LOG_LEVEL: "SILENT", POWERTOOLS_METRICS_DISABLED: "true" } },
    gumroad: { idSeed: String(seed), products, deliver: mail.deliver },
    onCall: async (call) => {
      if (call.service === "sqs" && call.phase === "after") {
        for (const id of pingIdsIn(call.body.toString())) queued.add(id);
      }
      return calls.verdictOn(call);
    },
  });
  const dynamo = new DynamoDBClient({ endpoint: stack.endpoints.dynamodb, region: REGION, credentials: CREDENTIALS });
  const sqs = new SQSClient({ endpoint: stack.endpoints.sqs, region: REGION, credentials: CREDENTIALS });
  const trouble = troubles(stack, sqs, random("troubles"));
  const { gumroad } = stack;
  const chaos = { random: random("chaos"), lose: 0.15, duplicate: 0.2, delay: 0.5, longestDelayMs: 2 * DAY };
  const unlost = (act: () => void) => {
    gumroad.setChaos({ ...chaos, lose: 0 });
    try {
      act();
    } finally {
      gumroad.setChaos(chaos);
    }
  };
  const who = random("who");
  const people = stories(stack, { random: random("people"), email: () => buyerEmail(Math.floor(who() * buyers)),
    unlost, auth0Secret: trouble.auth0Secret, show: claiming.show });
  const shopRandom = random("shop");
  const live = async (purchases: number) =>
    letLive(gumroad, { random: shopRandom, buyers, purchases: gumroad.sales.length + purchases, silent: true, unlost },
      async (ms) => stack.advance(ms));

  const counted = () => new Map([...kinds, ...calls.counts, ...people.counts]);
  const isEnough = () => shortOf(counted(), least).length === 0 && people.expected([]).size >= least.buyers;

  /** Makes trouble now and then until it is told to stop. */
  async function disturb(signal: AbortSignal): Promise<void> {
    const pick = random("which trouble");
    let rotatedAt = 0;
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, TROUBLE_MS * pick()));
      const kind: Trouble = TROUBLES[Math.floor(pick() * TROUBLES.length)] ?? TROUBLES[0];
      if (kind === "auth0 secret rotated" || kind === "gumroad token rotated") {
        if (performance.now() - rotatedAt < ROTATION_MS) continue;
        rotatedAt = performance.now();
      }
      if (await trouble.make(kind)) count(kind);
    }
  }

  async function storm(until: number): Promise<void> {
    const ending = new AbortController();
    isStormy = true;
    const disturbing = disturb(ending.signal);
    const began = performance.now();
    let deployed: "this" | "earlier" = "this";
    let portions = 0;
    const latest = began + OVERTIME * (until - began) + OVERTIME_MS;
    while (performance.now() < until || (!isEnough() && performance.now() < latest)) {
      await live(PORTION);
      portions += 1;
      await people.play();
      // In the middle third of the time the earlier version runs.
      const share = (performance.now() - began) / (until - began);
      const isMiddle = portions > 1 && (share < 2 / 3 || kinds.get(EARLIER) === 0);
      const wanted = previous !== null && share > 1 / 3 && isMiddle ? "earlier" : "this";
      if (wanted !== deployed) {
        deploy(wanted === "earlier" && previous !== null ? previous.bundlesDir : bundlesDir, running);
        await stack.crash();
        deployed = wanted;
        if (wanted === "earlier") count(EARLIER);
        say(`${wanted} version deployed`);
      }
      await mail.bring();
      await workOff(stack, STANDSTILL_MS);
      say(`${String(gumroad.sales.length)} purchases, ${String(Math.round((performance.now() - began) / 1_000))} s`);
    }
    isStormy = false;
    ending.abort();
    await disturbing;
    deploy(bundlesDir, running);
    await stack.crash();
  }

  try {
    await stack.advance(OPENING - gumroad.now());
    gumroad.setChaos(chaos);
    await storm(performance.now() + minutes * MINUTE);
    gumroad.setChaos(undefined);
    await stack.advance(3 * DAY);
    await mail.bring();
    await workOff(stack, STANDSTILL_MS);
    const heap = await quietWork();
    let sentBack = await sendBack(stack, sqs);
    await workOff(stack, STANDSTILL_MS);
    await waitsOver(stack);
    // Before any sweep, which would find what was lost, and hide the loss.
    const lost = await lostPings(stack, mail.acknowledged, queued);
    for (let round = 0; round < 3; round += 1) {
      // Before the looks, not after them: what ends meanwhile is in the books at once.
      await stack.advance(DAY);
      await mail.bring();
      await waitsOver(stack);
      await reconcile(stack);
      sentBack += await sendBack(stack, sqs);
      await workOff(stack, STANDSTILL_MS);
      await releaseHeld(stack);
      await workOff(stack, STANDSTILL_MS);
    }
    await mail.bring();
    await workOff(stack, STANDSTILL_MS);
    const ledger = await stack.ledger();
    const expected = people.expected(ledger);
    return { buyers: expected.size, purchases: gumroad.sales.length, pings: mail.acknowledged.length, kinds: counted(),
      previous: previous?.commit ?? null, sentBack, heap, lost,
      wrong: [...await wrongUsers(stack, expected), ...people.wrongClaims(ledger)] };
  } finally {
    dynamo.destroy();
    sqs.destroy();
    await stack.stop();
    await claiming.close();
    rmSync(folder, { recursive: true, force: true });
  }

  /** Portion after portion without a fault, and what the heap is after each. */
  async function quietWork(): Promise<readonly number[]> {
    const heap: number[] = [];
    for (let portion = 0; portion < QUIET_PORTIONS; portion += 1) {
      await live(PORTION / 4);
      await mail.bring();
      await workOff(stack, STANDSTILL_MS);
      heap.push((await stack.heapUsed("provision")) / 2 ** 20);
    }
    return heap;
  }
}

function tableOf(stack: Stack): string | undefined {
  return stack.template.tables.find(({ logicalId }) => logicalId === "LedgerTable")?.TableName;
}

/** Writes a buyer's record as it is, as a newer version: somebody else was first. False if there is none yet. */
async function touch(dynamo: DynamoDBClient, table: string | undefined, pk: string): Promise<boolean> {
  try {
    await dynamo.send(
      new UpdateItemCommand({ TableName: table, Key: { pk: { S: pk }, sk: { S: "record" } },
        UpdateExpression: "SET version = version + :one, #record.version = #record.version + :one",
        ConditionExpression: "attribute_exists(pk)", ExpressionAttributeNames: { "#record": "record" },
        ExpressionAttributeValues: { ":one": { N: "1" } } }),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === "ConditionalCheckFailedException") return false;
    throw error;
  }
}

/** Puts what ended in the dead-letter queue back into its queue, as the runbook says; how much it was. */
async function sendBack(stack: Stack, sqs: SQSClient): Promise<number> {
  const from = stack.queueUrl("DeadLetterQueue");
  for (let sent = 0;; sent += 1) {
    const { Messages: [message] = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: from, MaxNumberOfMessages: 1 }),
    );
    if (message === undefined) return sent;
    const { Body: MessageBody = "", MessageId, ReceiptHandle } = message;
    await sqs.send(
      new SendMessageCommand({ QueueUrl: stack.queueUrl("ProvisionQueue"), MessageBody,
        MessageGroupId: digest(readMessage(MessageBody).buyer),
        MessageDeduplicationId: `back ${MessageId ?? ""}`.replaceAll(" ", "-") }),
    );
    await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle }));
  }
}

/** So many memberships that end at once look like a mistake, and are held: an operator, as here, knows better. */
async function releaseHeld(stack: Stack): Promise<void> {
  for (const { pk, sk } of await stack.ledger()) {
    const [kind, product = ""] = String(pk).split("#");
    if (kind === "held") {
      await sendHeld(stack, String(sk).slice("buyer#".length), product, "release", stack.gumroad.now());
    }
  }
}

/** The pings whose messages stand in a text of JSON. */
function pingIdsIn(text: string): readonly string[] {
  return [...text.matchAll(/\\*"pingId\\*":\\*"([^"\\]+)/g)].map(([, id = ""]) => id);
}

/**
 * Acknowledged pings that never got into the queue, or whose sale or subscription nobody owns, while neither they
 * wait, to be read back or for a person, nor facts of theirs do for an owner.
 */
async function lostPings(stack: Stack, acknowledged: readonly string[],
  queued: ReadonlySet<string>): Promise<readonly string[]> {
  const items = await stack.ledger();
  const sources = new Map(items.filter(({ sk }) => sk === "source").map((item) => [String(item["pk"]), item]));
  const records = new Map(
    items.filter(({ sk }) => sk === "record").map(({ pk, record }) => [String(pk), JSON.stringify(record)]),
  );
  const letters = JSON.stringify(await stack.sqs.deadLetters());
  // Put off for longer than time was moved.
  const messages = JSON.stringify(await stack.sqs.inspect("ProvisionQueue"));
  const pending = JSON.stringify(items.filter(({ sk }) => String(sk).startsWith("pending#")));
  const waiting = new Set(pingIdsIn(pending + letters + messages));
  return acknowledged.flatMap((body) => {
    const form = parseForm(body);
    if (isTestPing(form)) return [];
    const ping = readPing(form);
    const pingId = digest(withoutRetryCount(body));
    if (!queued.has(pingId)) return [`${ping.event} never got into the queue: ${body}`];
    const id = "saleId" in ping && ping.subscriptionId === null
      ? `sale:${ping.saleId}`
      : `subscription:${ping.subscriptionId ?? ""}`;
    const source = sources.get(`source#${id}`);
    const owner = source?.["owner"];
    if (waiting.has(pingId)) return [];
    if (typeof owner === "string" && records.get(`buyer#${owner}`)?.includes(id) === true) return [];
    return source?.["waiting"] === undefined
      ? [`${ping.event} of ${id}: ${JSON.stringify(source)} ${String(records.get(`buyer#${String(owner)}`))}`]
      : [];
  });
}

/** In words, with what the ledger has of them. */
async function wrongUsers(stack: Stack, expected: ReadonlyMap<string, readonly string[]>): Promise<readonly string[]> {
  const users = stack.auth0.users();
  const items = await stack.ledger();
  const known = (email: string) => JSON.stringify(items.filter(({ pk }) => pk === `buyer#${email}`));
  const seen = new Map<string, number>();
  for (const { email = "" } of users) seen.set(email, (seen.get(email) ?? 0) + 1);
  const wrong = users.filter(({ email = "", roles }) => roles.join() !== (expected.get(email) ?? []).join())
    .map(({ email = "", roles }) =>
      `${email} has ${roles.join()} and should have ${(expected.get(email) ?? []).join()}: ${known(email)}`
    );
  const twice = [...seen].filter(([, times]) => times > 1).map(([email, times]) =>
    `${email} is there ${String(times)} times`
  );
  const missing = [...expected].filter(([email, roles]) => roles.length > 0 && !seen.has(email)).map((
    [email, roles],
  ) => `${email} isn't there and should have ${roles.join()}: ${known(email)}`);
  return [...wrong, ...twice, ...missing];
}

/** What happens to the whole, a few times only. */
const EARLIER = "earlier version";
const RARE: readonly string[] = [EARLIER, "auth0 secret rotated", "gumroad token rotated"];
const ONCE: readonly string[] = [EARLIER, "late bundle"];

/** Kinds that came less often than they have to, in words. */
function shortOf(kinds: ReadonlyMap<string, number>,
  least: { readonly faults: number; readonly stories: number }): readonly string[] {
  const stories: readonly string[] = [...STORIES, ...RARE];
  return [...kinds].filter(([kind, times]) =>
    times < (ONCE.includes(kind) ? 1 : stories.includes(kind) ? least.stories : least.faults)
  ).map(([kind, times]) => `${kind} came ${String(times)} times only`);
}

/** More than what is compiled on the way; garbage doesn't count (MB). */
const GROWTH_MB = 4;

/** What a run with such a report doesn't show, in words: kinds that came too rarely, memory that isn't flat. */
export function shortcomingsOf({ kinds, heap, buyers }: SoakReport, least: SoakOptions["least"]): readonly string[] {
  const half = Math.floor(heap.length / 2);
  const grew = Math.min(...heap.slice(half)) - Math.min(...heap.slice(0, half));
  return [...shortOf(kinds, least), ...(grew > GROWTH_MB ? [`the heap grew by ${grew.toFixed(0)} MB`] : []),
    ...(buyers < least.buyers ? [`only ${String(buyers)} bought`] : [])];
}
