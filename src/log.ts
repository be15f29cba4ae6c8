import { createHash } from "node:crypto";

import { Logger } from "@aws-lambda-powertools/logger";

/** What stands between two delimiters: read once, so that a text of any length takes time in proportion. */
const WORD = /[^\s"'<>()[\]{}=?&/\\,;:]+/g;
/** A word that is an address, plain or as it stands in a URL (`ann%40example.com`). */
const EMAIL = /.(?:@|%40)./i;
/** The ping URL holds the token. */
const PING_PATH = /\/ping\/[^\s"'/?#]+/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi;

/** Takes what must never be logged out of a text: libraries quote addresses and URLs in their errors. */
export function scrub(text: string): string {
  return text.replace(PING_PATH, "/ping/…").replace(BEARER, "$1 …").replace(WORD,
    (word) => (EMAIL.test(word) ? "<email>" : word));
}

/** Names a buyer in a log without saying who it is: the start of the SHA-256 of the normalized email. */
export function buyerTag(email: string): string {
  return createHash("sha256").update(email).digest("hex").slice(0, 12);
}

/** An error and all its causes, each as code (or name) and message: what tells one failure from another. */
export function causesOf(error: unknown): readonly string[] {
  const causes: string[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
    causes.push(`${code}: ${cause.message.slice(0, 500)}`);
  }
  return causes;
}

/** The longest text, and the longest list, that a line shows: strangers choose what some of them say. */
const LONGEST_TEXT = 2_000;
const LONGEST_LIST = 100;

/** A value as it may be logged: scrubbed, and of bounded size. */
export function loggable(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, LONGEST_LIST);
  if (typeof value !== "string") return value;
  const text = scrub(value);
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}… (${String(text.length)} characters)` : text;
}

/** What logs and metrics call this deployment. */
export const serviceName = `gumroad-auth0-${process.env["STAGE"] ?? "unknown"}`;

/** JSON lines for CloudWatch; every text in them is scrubbed and cut. The level is the setting LOG_LEVEL, or INFO. */
export const log = new Logger({ serviceName, jsonReplacerFn: (_key, value: unknown) => loggable(value) });
