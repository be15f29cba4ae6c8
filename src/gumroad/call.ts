import type * as z from "zod/mini";

import { notUnderstood, reasonOf, unreachable } from "./failures.ts";

/** What Gumroad answered. */
export interface Answer {
  readonly status: number;
  /** Of a 200 only. */
  readonly body: unknown;
}

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
 * Asks once, without a token where it is null. A redirect is a failure: the token must not go elsewhere.
 * @throws {TemporaryError} GUMROAD_UNREACHABLE where no answer of Gumroad's own comes in time
 */
export async function askGumroad(send: typeof fetch,
  { token, api }: { readonly token: string | null; readonly api: string }, { method = "GET", path, form, what }: Call,
  signal: AbortSignal): Promise<Answer> {
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
  try {
    return { status, body: JSON.parse(text) };
  } catch {
    // The cause would quote the answer.
    throw unreachable(what, "its answer is no JSON");
  }
}

/** The part of an answer that is used. Throws NeedsPersonError GUMROAD_NOT_UNDERSTOOD. */
export function answerAs<T>(shape: z.ZodMiniType<T>, value: unknown, what: string): T {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw notUnderstood(what, fieldOf(parsed.error) ?? "success");
}

/** The innermost field that a shape stumbled over first: a name of ours, never of the answer. Null for the whole. */
export function fieldOf({ issues }: z.core.$ZodError): string | null {
  return issues[0]?.path.findLast((key) => typeof key === "string") ?? null;
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
