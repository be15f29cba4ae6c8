import { createHash } from "node:crypto";

import { Logger } from "@aws-lambda-powertools/logger";

/** An address, plain or as it stands in a URL (`ann%40example.com`). */
const EMAIL = /[^\s"'<>()[\]{}=?&/\\,;:]+(?:@|%40)[^\s"'<>()[\]{}=?&/\\,;:]+/gi;
/** The ping URL holds the token. */
const PING_PATH = /\/ping\/[^\s"'/?#]+/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi;

/**
 * Takes what must never be logged out of a text, whoever wrote it: libraries quote addresses and URLs in their errors.
 */
export function scrub(text: string): string {
  return text.replace(PING_PATH, "/ping/…").replace(BEARER, "$1 …").replace(EMAIL, "<email>");
}

/** Names a buyer in a log without saying who it is: the start of the SHA-256 of the normalized email. */
export function buyerTag(email: string): string {
  return createHash("sha256").update(email).digest("hex").slice(0, 12);
}

/**
 * An error and all its causes, each as code (or name) and message: what a person needs to tell one failure from
 * another.
 */
export function causesOf(error: unknown): readonly string[] {
  const causes: string[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
    causes.push(`${code}: ${cause.message.slice(0, 500)}`);
  }
  return causes;
}

/** JSON lines for CloudWatch; every text in them is scrubbed. The level is the setting LOG_LEVEL, or INFO. */
export const log = new Logger({
  serviceName: `gumroad-auth0-${process.env["STAGE"] ?? "unknown"}`,
  jsonReplacerFn: (_key, value: unknown) => (typeof value === "string" ? scrub(value) : value),
});
