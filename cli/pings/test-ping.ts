import { reasonOf } from "../../src/gumroad/call.ts";

/** What became of a test ping: taken, its token refused, another status, or no answer. */
export type TestPingOutcome = "taken" | "refused" | number | { readonly why: string };

/**
 * As "Send test ping" of Gumroad: `test` without a `resource_name`, which changes nothing. No seller either: a wrong
 * one would be kept as a dead letter.
 */
const BODY = new URLSearchParams({ test: "true", email: "doctor@example.com",
  product_name: "a test ping of gumroad-auth0 doctor" });
/** Gumroad's own limit. */
const LIMIT_MS = 5_000;
/** A refused token makes `ping` read its secret again, at most every ten seconds. */
const REREAD_MS = 11_000;

/** Posts a harmless ping. A refusal is tried once more: the functions may not have read a changed secret yet. */
export async function sendTestPing(url: string,
  wait: (milliseconds: number) => Promise<void>): Promise<TestPingOutcome> {
  const first = await post(url);
  if (first !== "refused") return first;
  await wait(REREAD_MS);
  return post(url);
}

async function post(url: string): Promise<TestPingOutcome> {
  try {
    const answer = await fetch(url, { method: "POST", body: BODY, redirect: "manual",
      signal: AbortSignal.timeout(LIMIT_MS) });
    await answer.body?.cancel();
    if (answer.status === 401) return "refused";
    return answer.ok ? "taken" : answer.status;
  } catch (error) {
    return { why: reasonOf(error) };
  }
}
