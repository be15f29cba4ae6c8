import type { Decision, SourceId } from "../../src/access/facts.ts";
import type { Invitation } from "../../src/ledger/record.ts";
import { wordsOf } from "./event-words.ts";
import type { ExplainedRole, ExplainedSource, ExplainedUser, Explanation, Wait } from "./explanation.ts";
import { momentOf } from "../terminal/moments.ts";
import type { Output } from "../terminal/output.ts";

/** Shows an explanation to people. */
export function showExplanation(explanation: Explanation, output: Output): void {
  const { buyer, spellings, roles, sources, users, auth0Failure, waits, invited, events } = explanation;
  const section = (title: string, lines: readonly string[], none: string): void => {
    output.say(`\n${output.tone("strong", title)}`);
    for (const line of lines.length === 0 ? [none] : lines) output.say(`  ${line}`);
  };
  output.say(
    `${output.tone("strong", buyer)}${spellings.length === 0 ? "" : ` (also written ${spellings.join(", ")})`}`,
  );
  section("Roles", roles.map((role) => roleLine(role, sources, output)), "none: no purchase gives any");
  section("Purchases", sources.flatMap(sourceLines), "none");
  section("Users at Auth0", [
    ...(auth0Failure === null ? [] : [output.tone("bad", `Auth0 could not be asked: ${auth0Failure.message}`)]),
    ...users.flatMap(userLines),
  ], "none");
  if (invited !== null) section("Invitation", [invitationLine(invited)], "");
  section("Waits", waits.map(waitLine), "nothing");
  section("Would change now", changeLines(explanation), "nothing");
  section("Events", events.map((event) => eventLine(event.receivedAt, event.source, wordsOf(event))), "none");
}

function roleLine({ role, entitled, sources: ids }: ExplainedRole, sources: readonly ExplainedSource[],
  { tone }: Output): string {
  const reasons = ids.flatMap((id) => {
    const source = sources.find((each) => each.id === id);
    return source === undefined
      ? []
      : [`${nameOf(source)}: ${source.heldSince === null ? source.because : "its loss is held"}`];
  });
  return `${entitled ? tone("good", "yes") : tone("bad", "no ")}  ${role}, because ${reasons.join("; ")}`;
}

function sourceLines(source: ExplainedSource): readonly string[] {
  const { id, access, gives, because, variant, variantListed, unlisted, test, heldSince, act, emails, unconfirmed } =
    source;
  const now = unlisted === null || unlisted === variant ? "" : `, by now ${unlisted}`;
  const isListed = variantListed && unlisted === null;
  const option = variant === null
    ? ""
    : ` (${variant}${now}${isListed ? "" : ", which src/products.ts doesn't list"})`;
  return [
    `${id}  ${nameOf(source)}${option}${test ? ", a test" : ""}`,
    `  ${
      gives.length > 0 ? `gives ${gives.join(", ")}` : access ? "stands, with no role of its own" : "gives nothing"
    }, because ${because}`,
    ...(emails.length === 0 ? [] : [`  also seen under ${emails.join(", ")}: transfer moves it`]),
    ...(unconfirmed === 0 ? [] : [`  changes of plan that no charge has confirmed: ${String(unconfirmed)}`]),
    ...(heldSince === null ? [] : [`  its loss is held since ${momentOf(heldSince)}`]),
    ...(act === null
      ? []
      : [`  decided ${momentOf(act.at)} by ${act.by} (${decisionWords(act.decision)}): ${act.why}`]),
  ];
}

function decisionWords(decision: Decision): string {
  if (decision.kind === "give" && decision.until !== null) return `give until ${momentOf(decision.until)}`;
  return decision.kind === "move" ? `move to ${decision.to}` : decision.kind;
}

function nameOf({ id, product, productId }: ExplainedSource): string {
  if (product !== null) return product;
  return id.startsWith("grant:") ? "a role given for nothing" : `product ${productId}`;
}

const ORIGINS = { created: "made by us", verified: "found with a verified email" } as const;

function userLines({ id, origin, roles, foreign, auth0 }: ExplainedUser): readonly string[] {
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
    ...(auth0?.exists === true ? differences(roles, [...auth0.roles, ...auth0.metadataRoles]) : []),
  ];
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

function invitationLine({ outcome, at, message, asked }: Invitation): string {
  return `${INVITATIONS[outcome]}, ${momentOf(at)}${message === null ? "" : `: ${message}`}${
    asked === null ? "" : ` (asked for by ${asked.by}: ${asked.why})`
  }`;
}

function waitLine({ code, what, since, next }: Wait): string {
  return `${what} (${code}${since === null ? "" : `, since ${momentOf(since)}`}${
    next === null ? "" : `, next look ${momentOf(next)}`
  })`;
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
  ];
}

/** A line of history. */
export function eventLine(receivedAt: number, source: SourceId, { event, told }: ReturnType<typeof wordsOf>): string {
  return `${momentOf(receivedAt)}  ${event}  ${source}${told === "" ? "" : `  ${told}`}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
