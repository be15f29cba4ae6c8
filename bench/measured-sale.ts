/** What one sale makes the functions do, here: their durations, and the calls that AWS counts. */
import { setTimeout as wait } from "node:timers/promises";

import * as z from "zod";

import type { InvocationReport } from "../local/aws/lambda.ts";
import { readBody, startLoopbackServer } from "../local/aws/loopback.ts";
import { saleBy } from "../tests/pipeline/local-stack.ts";
import { startBothWays } from "./both-ways.ts";

/** How long a call of Auth0's and one of Gumroad's takes here (ms). */
export const AUTH0_MS = 100;
export const GUMROAD_MS = 300;
/** Sales to a page of Gumroad's listing. */
export const SALES_A_PAGE = 10;
const PRODUCT = "zGyG_1JQunZuizwqd9CP7g==";
const IDLE_RUNS = 5;

/** What invocations of a function took: means. */
export interface Taken {
  /** Waiting for others, and at work (ms). */
  readonly waitMs: number;
  readonly busyMs: number;
  /** To load, at the first. */
  readonly initMs: number;
  /** Bytes of log lines. */
  readonly logBytes: number;
}

/** What DynamoDB would bill, as it counts: of tables; an index counts apart. */
interface Units {
  reads: number;
  writes: number;
  /** Calls that write, each of which can change an index. */
  calls: number;
}

const capacityShape = z.looseObject({ CapacityUnits: z.number() });
const answerShape = z.looseObject({ ConsumedCapacity: z.union([capacityShape, z.array(capacityShape)]).optional() });
const WRITES = /^(Put|Update|Delete|BatchWrite)/;

/** A DynamoDB between the functions and the stand-in, which has it tell what each call would be billed. */
async function startMeter(units: Units) {
  let target = "";
  const { url, stop } = await startLoopbackServer({ port: 0 }, async (incoming, outgoing) => {
    const asked = z.looseObject({}).parse(JSON.parse((await readBody(incoming)).toString("utf8")));
    const headers = Object.fromEntries(
      ["authorization", "content-type", "x-amz-date", "x-amz-target"].map((
        name,
      ) => [name, String(incoming.headers[name] ?? "")]),
    );
    const answer = await fetch(target, { method: "POST", headers,
      body: JSON.stringify({ ...asked, ReturnConsumedCapacity: "TOTAL" }) });
    const text = await answer.text();
    const { ConsumedCapacity: consumed = [] } = answerShape.parse(JSON.parse(text));
    const sum = [consumed].flat().reduce((total, { CapacityUnits }) => total + CapacityUnits, 0);
    const isWrite = WRITES.test(headers["x-amz-target"]?.split(".").at(-1) ?? "");
    units[isWrite ? "writes" : "reads"] += sum;
    if (isWrite) units.calls += 1;
    outgoing.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" }).end(text);
  });
  return { url, stop, into: (address: string) => {
    target = address;
  } };
}

/** What so many sales, one by one, come to on average, and what runs by the clock besides. */
export async function measuredSale(sales: number) {
  const units: Units = { reads: 0, writes: 0, calls: 0 };
  const reports: { readonly name: string; readonly report: InvocationReport }[] = [];
  const logged: Record<string, number> = {};
  const aws: string[] = [];
  const meter = await startMeter(units);
  const environment = { AWS_ENDPOINT_URL_DYNAMODB: meter.url };
  const both = await startBothWays(AUTH0_MS, { readBack: true, gumroad: { latency: GUMROAD_MS },
    environment: { provision: environment, reconcile: environment },
    onReport: (name, report) => reports.push({ name, report }), onLog: (name, line) => {
      logged[name] = (logged[name] ?? 0) + Buffer.byteLength(line);
    }, onCall: ({ service, operation, phase }) => {
      if (phase === "before" && (service === "sqs" || service === "secretsmanager")) aws.push(operation);
      return "go";
    } });
  const { stack } = both;
  const by = (name: string) => reports.filter((each) => each.name === name).map(({ report }) => report);
  const takenBy = (name: string, from = 0): Taken => {
    const its = by(name).slice(from);
    const mean = (of: (report: InvocationReport) => number) =>
      its.reduce((sum, each) => sum + of(each), 0) / its.length;
    return {
      busyMs: mean(({ busyMs }) => busyMs),
      waitMs: mean(({ durationMs, busyMs }) => durationMs - busyMs),
      // Of the first, which is the only cold one.
      initMs: by(name)[0]?.initMs ?? 0,
      logBytes: (logged[name] ?? 0) / by(name).length,
    };
  };
  const sell = async (email: string) => {
    const pings = by("ping").length;
    stack.gumroad.sell({ product: PRODUCT, email });
    // The shop posts the ping by itself.
    while (by("ping").length === pings) await wait(10);
    await stack.sqs.idle(600_000);
  };
  try {
    meter.into(stack.endpoints.dynamodb);
    // The first meets starts, and reads each secret.
    await sell("first@example.com");
    const secrets = aws.filter((operation) => operation === "GetSecretValue").length;
    const before = { ...units };
    const called = aws.length;
    for (let nth = 0; nth < sales; nth += 1) await sell(`buyer${String(nth)}@example.com`);
    const sale = { reads: (units.reads - before.reads) / sales, writes: (units.writes - before.writes) / sales,
      calls: (units.calls - before.calls) / sales, sent: aws.slice(called).filter((operation) =>
        operation.startsWith("Send")
      ).length / sales };
    const bytes = Buffer.byteLength(JSON.stringify(await stack.ledger())) / (sales + 1);

    // The first runs sweep; then nothing is due.
    for (let run = 0; run < 3; run += 1) await stack.invoke("reconcile");
    const idleFrom = by("reconcile").length;
    const idleUnits = { ...units };
    for (let run = 0; run < IDLE_RUNS; run += 1) await stack.invoke("reconcile");
    const idle = { ...takenBy("reconcile", idleFrom), reads: (units.reads - idleUnits.reads) / IDLE_RUNS,
      writes: (units.writes - idleUnits.writes) / IDLE_RUNS };
    await stack.advance(16 * 60_000);
    const [sweepFrom, pagesBefore] = [by("reconcile").length, stack.gumroad.calls.length];
    const sweepUnits = { ...units };
    await stack.invoke("reconcile");
    const sweep = takenBy("reconcile", sweepFrom);
    const pages = stack.gumroad.calls.length - pagesBefore;
    const page = { waitMs: Math.max(0, sweep.waitMs - idle.waitMs) / pages,
      busyMs: Math.max(0, sweep.busyMs - idle.busyMs) / pages,
      reads: Math.max(0, units.reads - sweepUnits.reads - idle.reads) / pages,
      writes: Math.max(0, units.writes - sweepUnits.writes - idle.writes) / pages };

    for (let nth = 0; nth <= sales; nth += 1) await both.handbook.post(saleBy(`theirs${String(nth)}@example.com`));
    return { sale: { ...sale, bytes }, ping: takenBy("ping", 1), provision: takenBy("provision", 1), secrets, idle,
      page, handbook: takenBy("handbook", 1), secretNames: stack.template.secrets.length };
  } finally {
    await both.stop();
    await meter.stop();
  }
}
