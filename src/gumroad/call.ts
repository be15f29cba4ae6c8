import type * as z from "zod/mini";

import { NeedsPersonError, TemporaryError } from "../errors.ts";
import { jsonIn } from "../json.ts";

/** A call of Gumroad's API; `form` is what a PUT or a POST sends. */
export interface Call {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly form?: URLSearchParams;
  /** Names it in errors: "read a sale". */
  readonly what: string;
}

/** One attempt's limit; the caller's own signal bounds the whole. */
const ATTEMPT_MS = 8_000;
/** A full page of subscribers with years of charges is a tenth of it. */
const MOST_BYTES = 2 * 1024 * 1024;

/**
 * Asks once, without a token where it is null; gives the status, and of a 200 the body. A redirect is a failure: the
 * token must not go elsewhere.
 * @throws {TemporaryError} GUMROAD_UNREACHABLE where no answer of Gumroad's own comes in time
 */
export async function askGumroad(send: typeof fetch,
  { token, api }: { readonly token: string | null; readonly api: string }, { method = "GET", path, form, what }: Call,
  signal: AbortSignal): Promise<{ readonly status: number; readonly body: unknown }> {
  let status: number;
  let text: string | null = null;
  try {
    const response = await send(new URL(`${api}${path}`), { method,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), accept: "application/json" },
      ...(form === undefined ? {} : { body: form }), redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]) });
    status = response.status;
    if (status === 200) text = await textOf(response);
    else await response.body?.cancel();
  } catch (error) {
    throw unreachable(what, reasonOf(error));
  }
  if (status !== 200) return { status, body: null };
  if (text === null) throw unreachable(what, "its answer is longer than any of its own");
  const body = jsonIn(text);
  if (body === undefined) throw unreachable(what, "its answer is no JSON");
  return { status, body };
}

/** The part of an answer that is used. Throws NeedsPersonError GUMROAD_NOT_UNDERSTOOD. */
export function answerAs<T>(shape: z.ZodMiniType<T>, value: unknown, what: string): T {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = fieldOf(parsed.error) ?? "success";
  throw new NeedsPersonError("GUMROAD_NOT_UNDERSTOOD",
    `Gumroad's answer to "${what}" was not understood: the field ${field} is missing or holds something new.`);
}

/** The innermost field that a shape stumbled over first: a name of ours, never of the answer. Null for the whole. */
export function fieldOf({ issues }: z.core.$ZodError): string | null {
  return issues[0]?.path.findLast((key) => typeof key === "string") ?? null;
}

/** Our error for a failed call's status: what mends itself, or what needs a person. `what` names it: "read a sale". */
export function failureOf(status: number, what: string): Error {
  if (status === 401) {
    return new NeedsPersonError("GUMROAD_TOKEN",
      "The access token in the secret gumroad is refused: put a live one there, of an application of the seller's " +
        "with the scope view_sales.");
  }
  if (status === 403) {
    return new NeedsPersonError("GUMROAD_SCOPE",
      `The access token in the secret gumroad may not ${what}: put one with the scope view_sales there.`);
  }
  const answered = `answered ${String(status)}`;
  if (status === 429) return unreachable(what, `it ${answered}, too many calls`);
  return status >= 500 || status === 408 ? unreachable(what, `it ${answered}`) : refusal(what, answered);
}

/** A "no" to what should always work. */
export function refusal(what: string, how: string): NeedsPersonError {
  return new NeedsPersonError("GUMROAD_REFUSED",
    `Gumroad refused to ${what}: it ${how}. Check "api" in the secret gumroad, and the product ids of the policy.`);
}

/** No answer, or one that is none of Gumroad's own. */
function unreachable(what: string, why: string): TemporaryError {
  return new TemporaryError("GUMROAD_UNREACHABLE", `Gumroad did not ${what}: ${why}.`);
}

/**
 * Names what broke a call off by its innermost code (`ECONNRESET`, `TimeoutError`), and nothing else of it: messages
 * of such errors can quote the URL, which may hold an email, or a header, which holds the token.
 */
export function reasonOf(error: unknown): string {
  let reason = "no answer";
  for (let cause = error, depth = 0; typeof cause === "object" && cause !== null && depth < 5; depth += 1) {
    if ("code" in cause && typeof cause.code === "string") reason = cause.code;
    else if ("name" in cause && typeof cause.name === "string") reason = cause.name;
    cause = "cause" in cause ? cause.cause : null;
  }
  return /^\w{1,60}$/.test(reason) ? reason : "no answer";
}

/** The text of an answer; null if it is too long to be read. */
async function textOf(response: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
