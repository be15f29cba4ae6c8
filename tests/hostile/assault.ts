import fc from "fast-check";
import * as z from "zod";

import { roleNames } from "../../tenant/role-names.ts";
import policy from "../../fixtures/policy.ts";
import { createLambda } from "../../local/aws/lambda.ts";
import { startStack, type Stack } from "../../local/stack.ts";
import { isMarked, isSecret } from "./marks.ts";
import { anyRequest, type HostileRequest, OURS, type Route, ROUTES } from "./requests.ts";

/** What a run came to. */
export interface Assault {
  readonly cases: number;
  /** Answers by route and status: `POST /login 400`. */
  readonly answers: ReadonlyMap<string, number>;
  /** Calls that broke off on purpose, once an answer. */
  readonly faults: number;
  /** Lines that the functions wrote. */
  readonly lines: number;
  /** The case that took longest, for a person to look at: it hangs on the machine. */
  readonly slowest: { readonly route: Route; readonly ms: number; readonly bytes: number };
}

/** The share of their pauses that functions make: a claim is answered after 3 s, whatever becomes of it. */
const WAITS = "0.02";
/** One case in so many meets a broken connection to what lies behind. */
const FAULTY = 50;
/** The largest answer and the most that a case may make a function write, in bytes. */
const LARGEST_ANSWER = 1_024;
const LARGEST_LOG = 40_000;
/** The most calls that one request may cause, with those repeated after a fault. */
const MOST_CALLS = 24;
/** And without one: a ping reads its secret and queues, a login counts and looks, a claim asks for each product. */
const USUAL_CALLS: Readonly<Record<Route, number>> = { "POST /ping/{token+}": 2, "POST /ping": 2, "POST /login": 10,
  "POST /password": 6, "POST /verify": 2, "GET /private": 2, "GET /private/{role}": 2, "POST /bind": 3,
  "POST /claim": 12, "GET /claim": 2 };
/** A call that nobody answers for so long (ms) is made again: on a busy machine any may. */
const CALLED_AGAIN_MS = 1_000;
/** What a line of a log may be made of: Powertools' fields, ours, and those of CloudWatch's metrics. */
const FIELDS = new Set([
  ...["level", "message", "timestamp", "service", "sampling_rate", "_aws"],
  ...["status", "reason", "causes", "stack", "requestId", "event", "product", "buyer", "retry", "inPolicy",
    "wouldGrant", "code"],
  ...["roles", "isNews"],
]);

const answerShape = z.object({ statusCode: z.number(), headers: z.record(z.string(), z.unknown()), body: z.string() });
const lineShape = z.looseObject({ service: z.string() }).check(
  z.refine((line) => "_aws" in line || ("level" in line && "message" in line && "timestamp" in line)),
);

/** So many to one stack: what it keeps of each, with its doubles' logs, would fill the memory in the end. */
const TO_ONE_STACK = 5_000;

/**
 * Sends random hostile requests to the deployed functions, as API Gateway would hand them over, and lets what got into
 * the queue be worked off.
 * @throws {Error} with the seed and the smallest such request: what was answered with a 5xx that no fault explains,
 * repeated anything of a request, wrote a line of a log that isn't ours, or cost more than any request may
 */
export async function assault(
  { bundlesDir, cases, seed, say }: { readonly bundlesDir: string; readonly cases: number; readonly seed: number;
    readonly say: (text: string) => void },
): Promise<Assault> {
  const tally: Tally = { cases: 0, faults: 0, lines: 0, answers: new Map(),
    slowest: { route: "POST /ping", ms: 0, bytes: 0 } };
  for (let portion = 0; tally.cases < cases; portion += 1) {
    await assaultOne(bundlesDir, Math.min(TO_ONE_STACK, cases - tally.cases), seed + portion, tally);
    say(`${String(tally.cases)} requests`);
  }
  return tally;
}

/** What a run has come to so far. */
type Tally = { -readonly [key in keyof Assault]: Assault[key] } & { readonly answers: Map<string, number> };

async function assaultOne(bundlesDir: string, cases: number, seed: number, tally: Tally): Promise<void> {
  let written: string[] = [];
  let calls = 0;
  let isFaulty = false;
  /** Provision waits for it: what it does with a request's message is no call of the request's. */
  let answering: Promise<unknown> = Promise.resolve();
  /** Provision's last lines, for whoever looks at a failure. */
  let told: readonly string[] = [];
  const leaks: string[] = [];
  const stack = await startStack({ bundlesDir, roles: roleNames(policy), maxWorkers: 1, makeLambda: (options) => {
    const lambda = createLambda(options);
    if (!options.bundle.endsWith("/provision.mjs")) return lambda;
    return { ...lambda, invoke: async (event) => {
      await answering;
      return lambda.invoke(event);
    } };
  },
    environment: Object.fromEntries(
      [...Object.values(ROUTES), "provision"].map((
        key,
      ) => [key, { LOG_LEVEL: "INFO", POWERTOOLS_METRICS_DISABLED: "false", WAITS }]),
    ), onLog: (key, line) => {
      if (key !== "provision") {
        written.push(line);
        return;
      }
      told = [...told.slice(-9), line];
      if (isSecret(line) || !lineShape.safeParse(jsonOf(line)).success) leaks.push(line);
    }, onCall: ({ phase }) => {
      if (phase === "after") return "go";
      calls += 1;
      return isFaulty ? "drop" : "go";
    } });

  const one = async (request: HostileRequest, token: string, faulty: boolean) => {
    const began = performance.now();
    written = [];
    calls = 0;
    isFaulty = faulty;
    const answer = answerTo(stack, withToken(request, token));
    answering = answer.catch(() => undefined);
    const answered = await answer;
    isFaulty = false;
    const ms = performance.now() - began;
    const bytes = Buffer.byteLength(request.body ?? "");
    if (ms > tally.slowest.ms) tally.slowest = { route: request.route, ms, bytes };
    tally.cases += 1;
    tally.lines += written.length;
    tally.faults += faulty && calls > 0 ? 1 : 0;
    const key = `${request.route} ${String(answered.statusCode)}`;
    tally.answers.set(key, (tally.answers.get(key) ?? 0) + 1);
    judge(request, answered, { written, calls, faulty, again: faulty || ms >= CALLED_AGAIN_MS });
    // What provision does with this one's message would be counted with the next.
    await stack.sqs.idle().catch((error: unknown) => {
      throw new Error(`a message is never worked off:\n${told.join("\n")}`, { cause: error });
    });
    if (leaks.length > 0) throw new Error(`a line of provision's: ${leaks[0] ?? ""}`);
  };

  try {
    const token = await someToken(stack);
    await fc.assert(
      fc.asyncProperty(anyRequest, fc.integer({ min: 1, max: FAULTY }), (request, lot) =>
        one(request, token, lot === FAULTY)),
      { numRuns: cases, seed },
    );
  } finally {
    await stack.stop();
  }
}

/** A token of ours, such as anybody has who signed up. */
async function someToken(stack: Stack): Promise<string> {
  const answer = await fetch(`${stack.url}/login`, { method: "POST",
    body: JSON.stringify({ username: "ann", password: "plum-tree-at-noon" }) });
  return z.object({ token: z.string() }).parse(await answer.json()).token;
}

/** The request with parts of a real token where it asks for them. */
function withToken({ body, base64, headers, ...rest }: HostileRequest, token: string): HostileRequest {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const put = (text: string) =>
    text.replaceAll(OURS.header, header).replaceAll(OURS.claims, claims).replaceAll(OURS.signature, signature);
  return { ...rest, base64, body: body === undefined || base64 ? body : put(body),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, put(value)])) };
}

/** What a function answered; throws if it failed, was killed at its time-out, or answered no such thing. */
async function answerTo(stack: Stack, { route, body, base64, headers, pathParameters, sourceIp }: HostileRequest) {
  const [method = ""] = route.split(" ");
  const path = `/${pathParameters === undefined ? "" : Object.values(pathParameters).join("/")}`;
  const result = await stack.invoke(ROUTES[route], { version: "2.0", routeKey: route, rawPath: path,
    rawQueryString: "", headers, ...(pathParameters === undefined ? {} : { pathParameters }),
    requestContext: { accountId: "000000000000", apiId: "local", domainName: "localhost", domainPrefix: "localhost",
      http: { method, path, protocol: "HTTP/1.1", sourceIp, userAgent: headers["user-agent"] ?? "" },
      requestId: "hostile", routeKey: route, stage: "$default", time: "", timeEpoch: Date.now() },
    ...(body === undefined ? {} : { body }), isBase64Encoded: base64 });
  if (result.kind !== "answer") throw new Error(`${result.kind}: ${result.errorType}: ${result.message}`);
  return answerShape.parse(JSON.parse(result.payload));
}

/** Throws for what must not be. */
function judge({ route }: HostileRequest, { statusCode, headers, body }: z.infer<typeof answerShape>,
  cost: { readonly written: readonly string[]; readonly calls: number; readonly faulty: boolean;
    readonly again: boolean }): void {
  const must = (holds: boolean, rule: string) => {
    if (!holds) {
      throw new Error(
        `${rule}: ${String(statusCode)} ${body.slice(0, 500)}\n${cost.written.join("\n").slice(0, 2_000)}`,
      );
    }
  };
  must(statusCode < 500 || (cost.faulty && statusCode === 503), "a 5xx without a fault, or another than 503");
  // Who logged in is told so.
  const told = route === "POST /login" && statusCode === 200 ? "" : body;
  must(!isMarked(told) && !isMarked(JSON.stringify(headers)), "an answer repeats what was sent");
  must(Buffer.byteLength(body) <= LARGEST_ANSWER, "an answer is larger than any");
  must(cost.written.join("").length <= LARGEST_LOG, "too much was logged");
  must(cost.calls <= (cost.again ? MOST_CALLS : USUAL_CALLS[route]), `${String(cost.calls)} calls`);
  for (const line of cost.written) {
    const parsed = lineShape.safeParse(jsonOf(line));
    must(parsed.success, `a line that is none of ours: ${line.slice(0, 300)}`);
    if (!parsed.success || "_aws" in parsed.data) continue;
    must(Object.keys(parsed.data).every((field) => FIELDS.has(field)),
      `a field that is none of ours: ${line.slice(0, 300)}`);
    must(!isSecret(line), `a secret in a log: ${line.slice(0, 300)}`);
    must(route.startsWith("POST /ping") || !isMarked(line), `a log repeats what was sent: ${line.slice(0, 300)}`);
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
