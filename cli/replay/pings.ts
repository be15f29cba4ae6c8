import { readFileSync } from "node:fs";
import path from "node:path";

import * as z from "zod";

import { normalizedEmail } from "../../src/gumroad/email.ts";
import { FormError, parseForm, textOf } from "../../src/gumroad/form.ts";
import type { ReplayTarget } from "./settings.ts";

/** One body to post. */
export interface ReplayPing {
  /** The file's name. */
  readonly file: string;
  readonly body: Buffer;
  /** Its `resource_name`; "test ping" where it has none but says so. */
  readonly event: string;
  /** The buyer's email as the service writes it; null if the body names none. */
  readonly buyer: string | null;
}

/** What came back for one body. */
export interface ReplayAnswer {
  readonly file: string;
  readonly event: string;
  readonly buyer: string | null;
  /** HTTP status, or null where none came. */
  readonly status: number | null;
  /** The body's `error`, or why no answer came. */
  readonly error: string | null;
  readonly ms: number;
  /** True where nothing listens. */
  readonly refused: boolean;
}

/** Gumroad's own limit for an answer. */
const TIMEOUT_MS = 5_000;
const errorBody = z.object({ error: z.string() });
const socketError = z.object({ cause: z.object({ code: z.string() }) });

/** Reads a wire body, and in it what the report names. */
export function readPing(file: string): ReplayPing {
  const body = readFileSync(file);
  return { file: path.basename(file), body, ...routingOf(body.toString("utf8")) };
}

/** What the report names of a wire body. */
export function routingOf(text: string): Pick<ReplayPing, "event" | "buyer"> {
  try {
    const form = parseForm(text);
    const email = textOf(form, "email") ?? textOf(form, "user_email");
    const event = textOf(form, "resource_name") ?? (textOf(form, "test") === "true" ? "test ping" : "-");
    return { event, buyer: email === undefined ? null : normalizedEmail(email) };
  } catch (error) {
    // It is posted all the same: the service has to cope with it.
    if (error instanceof FormError) return { event: "-", buyer: null };
    throw error;
  }
}

/** Posts one body byte for byte as Gumroad does. Never rejects. */
export async function postPing({ file, body, event, buyer }: ReplayPing,
  { url, authorization }: ReplayTarget): Promise<ReplayAnswer> {
  const began = performance.now();
  const done = (status: number | null, error: string | null, refused = false): ReplayAnswer => ({ file, event, buyer,
    status, error, ms: Math.round(performance.now() - began), refused });
  try {
    const answer = await fetch(url, { method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded",
        ...(authorization === undefined ? {} : { authorization }) }, body: new Uint8Array(body), redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS) });
    return done(answer.status, errorIn(await answer.text()));
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") {
      return done(null, `no answer within ${String(TIMEOUT_MS / 1000)} s`);
    }
    const { data } = socketError.safeParse(error);
    return done(null, `no connection${data === undefined ? "" : ` (${data.cause.code})`}`,
      data?.cause.code === "ECONNREFUSED");
  }
}

function errorIn(text: string): string | null {
  try {
    return errorBody.safeParse(JSON.parse(text)).data?.error ?? null;
  } catch {
    return null;
  }
}
