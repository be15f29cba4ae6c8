import type { Decision, SourceId } from "../../src/access/facts.ts";
import type { Logins } from "../admin/tenant-admin.ts";
import type { Context } from "../context.ts";
import { mendLine } from "../doctor/ledger-words.ts";
import type { Invitation } from "../../src/ledger/record.ts";
import { wordsOf } from "./event-words.ts";
import type { ExplainedRole, ExplainedSource, ExplainedUser, Explanation, GumroadNow,
  Wait } from "../operations/explanation.ts";
import { momentOf } from "../terminal/moments.ts";
import type { Output } from "../terminal/output.ts";

/** Shows an explanation to people. */
export function showExplanation(explanation: Explanation,
  { output, commandLine, stageName }: Pick<Context, "output" | "commandLine" | "stageName">): void {
  const { buyer, spellings, roles, sources, users, auth0Failure, gumroadFailure, waits, invited, gave, next, events } =
    explanation;
  const section = (title: string, lines: readonly string[], none: string): void => {
    output.say(`\n${output.tone("strong", title)}`);
    for (const line of lines.length === 0 ? [none] : lines) output.say(`  ${line}`);
  };
  output.say(
    `${output.tone("strong", buyer)}${spellings.length === 0 ? "" : ` (also written ${spellings.join(", ")})`}`,
  );
  section("Roles", roles.map((role) => roleLine(role, sources, output)), "none: no purchase gives any");
  section("Purchases", [
    ...(gumroadFailure === null ? [] : [output.tone("bad", `Gumroad could not be asked: ${gumroadFailure.message}`)]),
    ...sources.flatMap((source) => sourceLines(source, (rest) => commandLine(`revoke ${buyer} --source ${rest}`))),
  ], "none");
  if (gave.length > 0) {
    section("Gifts made", gave.map(({ source, receiver }) =>
      `${source} is ${receiver}'s now: ${commandLine(`explain ${receiver}`)}`
    ), "");
  }
  section("Users at Auth0", [
    ...(auth0Failure === null ? [] : [output.tone("bad", `Auth0 could not be asked: ${auth0Failure.message}`)]),
    ...users.flatMap(userLines),
  ], "none");
  if (invited !== null) section("Invitation", [invitationLine(invited, roles.some(({ entitled }) => entitled))], "");
  section("Waits", waits.map(waitLine), "nothing");
  section("Would change now", changeLines(explanation), "nothing");
  if (next.length > 0) {
    section("What to run", next.map(({ command, why }) =>
      `${mendLine({ mend: command }, stageName(), commandLine)}  ${why}`
    ), "");
  }
  section("Events", events.map((event) => eventLine(event.receivedAt, event.source, wordsOf(event))), "none");
}

function roleLine({ role, entitled, isThere, sources: ids }: ExplainedRole, sources: readonly ExplainedSource[],
  { tone }: Output): string {
  const reasons = ids.flatMap((id) => {
    const source = sources.find((each) => each.id === id);
    return source === undefined
      ? []
      : [`${nameOf(source)}: ${source.heldSince === null ? source.because : "its loss is held"}`];
  });
  const answer = !entitled ? tone("bad", "no ") : isThere ? tone("good", "yes") : tone("warning", "due");
  return `${answer}  ${role}, because ${reasons.join("; ")}${
    entitled && !isThere ? "; no user of theirs has it at Auth0" : ""
  }`;
}

function sourceLines(source: ExplainedSource, revokeLine: (rest: string) => string): readonly string[] {
  const { id, access, gives, because, variant, variantListed, unlisted, test, heldSince, act, emails, unconfirmed,
    plansAhead, movedFrom, gumroad } = source;
  const now = unlisted === null || unlisted === variant ? "" : `, by now ${unlisted}`;
  const isListed = variantListed && unlisted === null;
  const option = variant === null
    ? ""
    : ` (${variant}${now}${isListed ? "" : ", which src/products.ts doesn't list"})`;
  return [
    `${id}  ${nameOf(source)}${option}${test ? ", a test" : ""}`,
    heldSince === null
      ? `  ${
        gives.length > 0 ? `gives ${gives.join(", ")}` : access ? "stands, with no role of its own" : "gives nothing"
      }, because ${because}`
      : `  gives ${gives.join(", ")} on: its loss is held since ${
        momentOf(heldSince)
      }, and would be because ${because}`,
    ...(gumroad === null ? [] : [`  Gumroad says now: ${gumroadWords(gumroad)}`]),
    ...(emails.length === 0 ? [] : [`  also seen under ${emails.join(", ")}: transfer moves it`]),
    ...(unconfirmed === 0 ? [] : [
      `  changes of plan that no charge has confirmed: ${String(unconfirmed)}. If the buyer asked for none: ${
        revokeLine(`${id} --changes`)
      }`,
    ]),
    ...(plansAhead.length === 0 ? [] : [
      `  changes of plan told ahead, for ${plansAhead.map(momentOf).join(", ")}. If the buyer asked for none: ${
        revokeLine(`${id} --changes`)
      }`,
    ]),
    ...(act === null ? [] : [
      `  decided ${momentOf(act.at)} by ${act.by} (${
        movedFrom === null ? decisionWords(act.decision) : `moved here from ${movedFrom}`
      }): ${act.why}`,
    ]),
  ];
}

function decisionWords(decision: Decision): string {
  switch (decision.kind) {
    case "give":
      return decision.until === null ? "given for good" : `given until ${momentOf(decision.until)}`;
    case "move":
      return `moved to ${decision.to}`;
    case "take":
      return "taken away";
    case "follow":
      return "as Gumroad says, again";
    default:
      return "decided by a later version of this program";
  }
}

function gumroadWords({ says, orderNumber, quantity }: GumroadNow): string {
  return [says, ...(orderNumber === null ? [] : [`order ${orderNumber}`]),
    ...(quantity === null || quantity === 1 ? [] : [`${String(quantity)} were bought`])].join(", ");
}

function nameOf({ id, product, productId }: ExplainedSource): string {
  if (product !== null) return product;
  return id.startsWith("grant:") ? "a role given for nothing" : `product ${productId}`;
}

const ORIGINS = { created: "made by us", verified: "found with a verified email" } as const;

function userLines({ id, origin, roles, foreign, auth0, logins }: ExplainedUser): readonly string[] {
  const ours = Object.entries(roles).map(([role, mark]) => (mark === "has" ? role : `${role} (${mark})`));
  const now = (): string => {
    if (auth0 === null) return "not asked";
    if (!auth0.exists) return "this user is gone";
    return `${auth0.verified === null ? "" : `email ${auth0.verified ? "verified" : "not verified"}, `}roles: ${
      listed(auth0.roles)
    }${auth0.metadataRoles.length === 0 ? "" : `; in app_metadata: ${listed(auth0.metadataRoles)}`}`;
  };
  return [
    `${id}  ${origin === null ? "not bound: gets nothing from us" : ORIGINS[origin]}`,
    ...(origin === null
      ? []
      : [`  by our record: ${listed(ours)}${foreign.length === 0 ? "" : `; of others' giving: ${listed(foreign)}`}`]),
    `  Auth0 says now: ${now()}`,
    ...(logins === null ? [] : [`  ${loginWords(logins)}`]),
    ...(auth0?.exists === true ? differences(roles, [...auth0.roles, ...auth0.metadataRoles]) : []),
  ];
}

function loginWords({ count, lastAt, by }: Logins): string {
  if (lastAt === null) return "never logged in";
  return `logged in ${count === 1 ? "once" : `${String(count)} times`}, last on ${momentOf(lastAt)}${
    by.length === 0 ? "" : `, by ${by.join(", ")}`
  }`;
}

/** Our record is right about what we did; somebody may have changed roles at Auth0 since, which nothing tells us. */
function differences(roles: ExplainedUser["roles"], there: readonly string[]): readonly string[] {
  const missing = Object.entries(roles).flatMap((
    [role, mark],
  ) => (mark === "has" && !there.includes(role) ? [role] : []));
  return missing.length === 0
    ? []
    : [`  somebody took away at Auth0: ${listed(missing)}; nobody gives it again by itself`];
}

const INVITATIONS = { wanted: "wanted: it follows the first role, or the next look at the record",
  sending: "Auth0 was asked, and something broke off before the answer: nobody knows whether it went out",
  sent: "sent by Auth0", failed: "not sent" } as const;

function invitationLine({ outcome, at, message, asked }: Invitation, hasRoles: boolean): string {
  if (outcome === "wanted" && !hasRoles) return "none so far: it follows the first role";
  return `${INVITATIONS[outcome]}, ${momentOf(at)}${message === null ? "" : `: ${message}`}${
    asked === null ? "" : ` (asked for by ${asked.by}: ${asked.why})`
  }`;
}

/** Waits that the runbook need not explain: their words do. */
const WITHOUT_CODE: ReadonlySet<string> = new Set(["CHANGING", "CHANGES_BY_TIME"]);

function waitLine({ code, what, since, next }: Wait): string {
  const about = [...(WITHOUT_CODE.has(code) ? [] : [code]), ...(since === null ? [] : [`since ${momentOf(since)}`]),
    ...(next === null ? [] : [`next look ${momentOf(next)}`])];
  return about.length === 0 ? what : `${what} (${about.join(", ")})`;
}

function changeLines({ wouldChange }: Explanation): readonly string[] {
  return [
    ...(wouldChange.findsUsers ? ["a user with this email would be looked for at Auth0, or made"] : []),
    ...wouldChange.users.map(({ userId, add, remove }) =>
      `${userId}: ${
        [add.length === 0 ? "" : `gets ${listed(add)}`, remove.length === 0 ? "" : `loses ${listed(remove)}`].filter((
          part,
        ) => part !== "").join(", ")
      }`
    ),
    ...(wouldChange.users.length === 0
      ? []
      : ["by src/products.ts as it is here: a deployed stage goes by the one that it was deployed with"]),
  ];
}

/** A line of history. */
export function eventLine(receivedAt: number, source: SourceId, { event, told }: ReturnType<typeof wordsOf>): string {
  return `${momentOf(receivedAt)}  ${event}  ${source}${told === "" ? "" : `  ${told}`}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
