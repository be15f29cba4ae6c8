import { createHash } from "node:crypto";

import { Logger } from "@aws-lambda-powertools/logger";

/** An address, plain or as it stands in a URL (`ann%40example.com`). */
const EMAIL = /[^\s"'<>()[\]{}=?&/\\,;:]+(?:@|%40)[^\s"'<>()[\]{}=?&/\\,;:]+/gi;
/** The ping URL holds the token. */
const PING_PATH = /\/ping\/[^\s"'/?#]+/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi;

/** Takes what must never be logged out of a text, whoever wrote it: libraries quote addresses and URLs in their errors. */
export function scrub(text: string): string {
  return text.replace(PING_PATH, "/ping/…").replace(BEARER, "$1 …").replace(EMAIL, "<email>");
}

/** Names a buyer in a log without saying who it is: the start of the SHA-256 of the normalized email. */
export function buyerTag(email: string): string {
  return createHash("sha256").update(email).digest("hex").slice(0, 12);
}

/** JSON lines for CloudWatch; every text in them is scrubbed. The level is the setting LOG_LEVEL. */
export const log = new Logger({
  serviceName: `gumroad-auth0-${process.env["STAGE"] ?? "unknown"}`,
  logLevel: "INFO",
  jsonReplacerFn: (_key, value: unknown) => (typeof value === "string" ? scrub(value) : value),
});
