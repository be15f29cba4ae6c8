import type { GateCall, GateVerdict } from "../../local/aws/gate.ts";
import type { Random } from "../pipeline/random-shop.ts";

/** What can befall a call; the rest of what goes wrong befalls the whole, see troubles.ts. */
export const CALL_MISHAPS = ["auth0 429", "auth0 5xx", "auth0 reset", "auth0 time-out", "auth0 half-open socket",
  "gumroad 429", "gumroad 5xx", "gumroad reset", "gumroad time-out", "gumroad half-open socket", "dynamodb throttled",
  "dynamodb reset", "dynamodb condition failed", "sqs reset", "worker killed"] as const;

/** The name of one. */
export type CallMishap = (typeof CALL_MISHAPS)[number];

/** Longer than anybody waits for an answer, as {@link PATIENCE} shortens it (ms). */
const FOREVER_MS = 2_000;
/** The functions' time limits, as a share of what they are on AWS: what never answers need not take ten seconds. */
export const PATIENCE = 0.06;

/** What the tenant takes: so much that faults, and not its limit, decide how fast it goes. */
export const AUTH0_LIMIT = { burst: 200, perSecond: 100 };

/** Each of these befalls so many of the calls that it can befall. */
const SHARES: Readonly<Record<CallMishap, number>> = { "auth0 429": 0.05, "auth0 5xx": 0.03, "auth0 reset": 0.03,
  "auth0 time-out": 0.05, "auth0 half-open socket": 0.05, "gumroad 429": 0.03, "gumroad 5xx": 0.02,
  "gumroad reset": 0.02, "gumroad time-out": 0.03, "gumroad half-open socket": 0.03, "dynamodb throttled": 0.01,
  "dynamodb reset": 0.01, "dynamodb condition failed": 0.05, "sqs reset": 0.03, "worker killed": 0.003 };

/** Decides what befalls each call that a function makes. */
export interface Mishaps {
  readonly counts: ReadonlyMap<CallMishap, number>;
  verdictOn(call: GateCall): Promise<GateVerdict>;
}

/**
 * Mishaps as numbers fall, while `areOn` says so. `interfere` is somebody else who writes a buyer's record at just
 * this moment: false if there is none yet.
 */
export function mishaps(
  { random, areOn, interfere }: { readonly random: Random; readonly areOn: () => boolean;
    readonly interfere: (buyer: string) => Promise<boolean> },
): Mishaps {
  const counts = new Map<CallMishap, number>();
  const count = (mishap: CallMishap) => counts.set(mishap, (counts.get(mishap) ?? 0) + 1);

  return { counts, verdictOn: async (call) => {
    if (!areOn()) return "go";
    let lot = random();
    for (const mishap of CALL_MISHAPS) {
      if (!canBefall(mishap, call)) continue;
      lot -= SHARES[mishap];
      if (lot >= 0) continue;
      const verdict = await befall(mishap, call, interfere);
      if (verdict !== null) count(mishap);
      return verdict ?? "go";
    }
    return "go";
  } };
}

/** Only a call that is not made yet can be refused; only one that was carried out can stay unanswered. */
function canBefall(mishap: CallMishap, { service, phase, body, operation }: GateCall): boolean {
  if (mishap === "worker killed") return true;
  if (!mishap.startsWith(`${service} `)) return false;
  if (mishap === "dynamodb condition failed") {
    return phase === "before" && operation === "PutItem" && buyerIn(body) !== null;
  }
  if (mishap.endsWith("reset") || mishap.endsWith("5xx")) return true;
  return mishap.endsWith("half-open socket") ? phase === "after" : phase === "before";
}

async function befall(mishap: CallMishap, { body }: GateCall,
  interfere: (buyer: string) => Promise<boolean>): Promise<GateVerdict | null> {
  const json = { "content-type": "application/json" };
  switch (mishap) {
    case "worker killed":
      return "crash";
    case "auth0 reset":
    case "gumroad reset":
    case "dynamodb reset":
    case "sqs reset":
      return "drop";
    case "auth0 time-out":
    case "gumroad time-out":
    case "auth0 half-open socket":
    case "gumroad half-open socket":
      await new Promise((resolve) => setTimeout(resolve, FOREVER_MS));
      return "drop";
    case "auth0 429":
      return { status: 429,
        body: '{"statusCode":429,"error":"Too Many Requests","message":"Global limit has been reached"}',
        headers: { ...json, "x-ratelimit-limit": String(AUTH0_LIMIT.burst), "x-ratelimit-remaining": "0",
          "x-ratelimit-reset": String(Math.ceil(Date.now() / 1_000) + 1), "retry-after": "1" } };
    case "gumroad 429":
      return { status: 429, headers: { ...json, "retry-after": "1" }, body: '{"success":false}' };
    case "auth0 5xx":
    case "gumroad 5xx":
      return { status: 503, headers: { "content-type": "text/html" }, body: "<html>Service Unavailable</html>" };
    case "dynamodb throttled":
      return { status: 400, headers: { "content-type": "application/x-amz-json-1.0" },
        body: JSON.stringify({ __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
          message: "The level of configured provisioned throughput for the table was exceeded." }) };
    case "dynamodb condition failed":
      return (await interfere(buyerIn(body) ?? "")) ? "go" : null;
  }
}

/** The key of the buyer's record that a call writes on the version it read; null for any other call. */
function buyerIn(body: Buffer): string | null {
  const text = body.toString();
  if (!text.includes('"ConditionExpression"') || !text.includes('"S":"record"')) return null;
  return /"pk":\{"S":"(buyer#[^"]+)"\}/.exec(text)?.[1] ?? null;
}
