import { NeedsPersonError, TemporaryError } from "../errors.ts";

/** Our error for a failed call's status: what mends itself, or what needs a person. `what` names it: "read a sale". */
export function failureOf(status: number, what: string): Error {
  const answered = `answered ${String(status)}`;
  switch (status) {
    case 401:
      return new NeedsPersonError("GUMROAD_TOKEN",
        "The access token in the secret gumroad is refused: put a live one there, of an application of the " +
          "seller's with the scope view_sales.");
    case 403:
      return new NeedsPersonError("GUMROAD_SCOPE",
        `The access token in the secret gumroad may not ${what}: put one with the scope view_sales there.`);
    case 408:
      return unreachable(what, `it ${answered}, too slow`);
    case 429:
      return unreachable(what, `it ${answered}, too many calls`);
    default:
      return status < 500 ? refusal(what, answered) : unreachable(what, `it ${answered}`);
  }
}

/** No answer, or one that is none of Gumroad's own. */
export function unreachable(what: string, why: string): TemporaryError {
  return new TemporaryError("GUMROAD_UNREACHABLE", `Gumroad did not ${what}: ${why}.`);
}

/** A "no" to what should always work. */
export function refusal(what: string, how: string): NeedsPersonError {
  return new NeedsPersonError("GUMROAD_REFUSED",
    `Gumroad refused to ${what}: it ${how}. Check "api" in the secret gumroad, and the product ids of the policy.`);
}

/** An answer that lacks what it must have: Gumroad changed its API, or something else answers. */
export function notUnderstood(what: string, field: string): NeedsPersonError {
  return new NeedsPersonError("GUMROAD_NOT_UNDERSTOOD",
    `Gumroad's answer to "${what}" was not understood: the field ${field} is missing or holds something new.`);
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
