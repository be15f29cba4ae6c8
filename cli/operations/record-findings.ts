import { entitlements, lacksOption, type Verdict } from "../../src/access/entitlements.ts";
import { type Source } from "../../src/access/facts.ts";
import { contentsOf, type Policy, type Product } from "../../src/access/policy.ts";
import { tierInForce } from "../../src/access/tiers.ts";
import { openClaims, type BuyerRecord } from "../../src/ledger/record.ts";
import { roleNames } from "../../tenant/role-names.ts";
import type { Unread } from "../ledger/unread.ts";

/** Something about one buyer that a person has to see to. */
export interface RecordFinding {
  /** Stable, in capitals. */
  readonly code: string;
  /** What it is about, as people call it: a product, or nothing. */
  readonly product: string | null;
  /** One sentence that is the same for all whom the same mends. */
  readonly what: string;
  /** The command that mends it, without the program's name; `deploy` for a deployment. */
  readonly mend: string;
  /** It is to be known, and most often right as it is: `doctor` lists it, and `status` is healthy with it. */
  readonly isNote?: true;
}

/** What a person has to see to, and whom it concerns: once for all buyers whom the same mends. */
export interface LedgerFinding extends RecordFinding {
  /** Emails, in the order in which they were found. */
  readonly buyers: readonly string[];
}

const HOUR_MS = 60 * 60_000;
/** Waits that pass by themselves, and how long (ms) they may take until somebody should look. */
const PATIENCE_MS: Readonly<Record<string, number>> = { EMAIL_UNVERIFIED: 24 * HOUR_MS, AUTH0_AWAY: HOUR_MS,
  AUTH0_TIMED_OUT: HOUR_MS, AUTH0_THROTTLED: HOUR_MS, AUTH0_UNREACHABLE: HOUR_MS, AUTH0_USER_HIDDEN: HOUR_MS,
  RECORD_CHANGED: HOUR_MS, LEDGER_UNREACHABLE: HOUR_MS, QUEUE_UNREACHABLE: HOUR_MS, SECRET_UNREACHABLE: HOUR_MS,
  GUMROAD_UNREACHABLE: HOUR_MS };

/** What a person has to see to about one buyer, under this policy, at this moment (epoch ms). */
export function findingsIn(record: BuyerRecord, policy: Policy, now: number): readonly RecordFinding[] {
  const { verdicts } = entitlements(record.sources, policy, now);
  const ofSources = verdicts.flatMap((verdict) => findingsOf(verdict, record, policy, now));
  const distinct = new Map(ofSources.map((finding) => [JSON.stringify(finding), finding]));
  return [...distinct.values(), ...claimsIn(record, policy), ...waitsIn(record, ofSources, policy, now)];
}

function claimsIn(record: BuyerRecord, policy: Policy): readonly RecordFinding[] {
  return openClaims(record).map(({ source }) => ({ code: "CLAIMED",
    product: policy.get(record.sources[source]?.productId ?? "")?.name ?? null,
    what: "somebody showed the licence key, and may not be who bought it: say confirm or refuse", mend: "claims" })
  );
}

function findingsOf(verdict: Verdict, record: BuyerRecord, policy: Policy, now: number): readonly RecordFinding[] {
  const source = record.sources[verdict.source];
  const product = policy.get(verdict.productId);
  const name = product?.name ?? (verdict.productId === "" ? null : verdict.productId);
  const found: RecordFinding[] = [];
  const add = (code: string, what: string, mend: string, note: Pick<RecordFinding, "isNote"> = {}): void => {
    found.push({ code, product: name, what, mend, ...note });
  };
  if (record.held[verdict.source] !== undefined) {
    add("HELD", "removals are held until you say release or keep", `release ${quoted(name ?? "")}`);
  }
  const dropChanges = `revoke ${record.email} --source ${verdict.source} --changes`;
  if (verdict.access && source !== undefined && product !== undefined &&
    tierInForce(source, product, now).changesAt !== null) {
    const what = "a change of plan is told ahead, which only a ping told of, and comes into force by itself: if the " +
      "buyer asked for none, somebody else has the ping URL";
    add("PLAN_CHANGE_AHEAD", what, dropChanges, { isNote: true });
  }
  if (verdict.unconfirmed > 0) {
    const what = "the tier rests on a change of plan that only a ping told of, and no charge has confirmed: if the " +
      "buyer asked for none, somebody else has the ping URL";
    // An upgrade in a trial, say, is charged with the next period only.
    add("PLAN_CHANGE_UNCONFIRMED", what, dropChanges, { isNote: true });
  }
  if (verdict.reason === "bundle-unknown") {
    const what = "it came with a bundle that isn't known here, or was moved away, so no refund of that bundle would " +
      "end it (transfer moves it, too)";
    add("BUNDLE_UNKNOWN", what, "reconcile weekly");
  }
  if (verdict.reason === "bundle-unsure") {
    const what = "its bundle gives access no more, but the buyer's other purchases weren't all looked at since";
    add("BUNDLE_UNSURE", what, "reconcile weekly");
  }
  if (source !== undefined && product !== undefined) {
    if (lacksOption(verdict, product)) {
      add("OPTION_UNLISTED", unlistedOption(product.variant, verdict.unlisted ?? verdict.variant), "products");
    }
    for (const what of contentFindings(source, product, policy)) add("BUNDLE_CONTENT_UNLISTED", what, "products");
  }
  return found;
}

/** What is said of an option that the policy lacks. */
export function unlistedOption(category: string, option: string | null): string {
  return `src/products.ts doesn't list the ${category} ${
    option === null ? "that is missing" : `"${option}"`
  }: add it there, under "also" if it is a new name`;
}

function contentFindings({ holds }: Source, product: Product, policy: Policy): readonly string[] {
  if (!("contains" in product)) return [];
  const contents = contentsOf(product);
  return holds.filter((id) => policy.has(id) && !contents.includes(id)).map((id) =>
    unlistedContent(policy.get(id)?.name ?? id)
  );
}

/** What is said of a product that a bundle holds, and `contains` lacks. */
export function unlistedContent(name: string): string {
  return `the bundle holds ${name}, which its "contains" in src/products.ts lacks`;
}

function waitsIn(record: BuyerRecord, found: readonly RecordFinding[], policy: Policy,
  now: number): readonly RecordFinding[] {
  const { unsettled, invited, email } = record;
  const invitation = invited?.outcome === "failed"
    ? [{ code: "INVITATION_FAILED", product: null, what: "Auth0 didn't send the invitation", mend: `invite ${email}` }]
    : [];
  if (unsettled === null || now - unsettled.since < (PATIENCE_MS[unsettled.code] ?? 0) ||
    found.some(({ code }) => code === unsettled.code)) return invitation;
  const { code, message } = unsettled;
  return [...invitation, { code, product: null,
    what: code === "EMAIL_UNVERIFIED"
      ? "the buyer hasn't verified the email for a day: send the mail again"
      : message.replace(/\.$/, ""), mend: onlyGranted(record, policy) ?? mendOf(code, email) }];
}

/** Where Auth0 lacks a role that only an operator gave: `setup` makes the policy's. */
function onlyGranted({ unsettled, sources, email }: BuyerRecord, policy: Policy): string | null {
  if (unsettled?.code !== "AUTH0_ROLE_MISSING") return null;
  const missing = [...unsettled.message.matchAll(/"([^"]+)"/g)].map(([, role = ""]) => role);
  const [first] = missing;
  const ofPolicy = roleNames(policy);
  if (first === undefined ||
    missing.some((role) => ofPolicy.includes(role) || sources[`grant:${role}`] === undefined)) {
    return null;
  }
  return `revoke ${email} ${quoted(first)}`;
}

function mendOf(code: string, email: string): string {
  if (code === "EMAIL_UNVERIFIED") return `invite ${email}`;
  if (code === "OPTION_UNLISTED") return "deploy";
  return /^AUTH0_(?:ROLE_MISSING|SCOPE|CREDENTIALS)$|^SECRET_/.test(code) ? "setup" : "sync --waiting";
}

/** How long (ms) Gumroad may be away until somebody should look. */
const UNREAD_PATIENCE_MS = HOUR_MS / 2;

/** What is to be known of what waits unread, by buyer: that Gumroad is away for minutes is only noted. */
export function unreadFindings(unread: readonly Unread[],
  now: number): readonly (readonly [buyer: string, finding: RecordFinding])[] {
  const isLate = ({ since }: Unread): boolean => now - since >= UNREAD_PATIENCE_MS;
  const late = unread.filter(isLate);
  const fresh = unread.filter((each) => each.code === "UNREAD" && !isLate(each));
  return [...found(late, "over half an hour"), ...found(fresh, "minutes", { isNote: true })];

  function found(some: readonly Unread[], howLong: string, note: Pick<RecordFinding, "isNote"> = {}) {
    const what = `${
      some.length === 1 ? "a message has" : `${String(some.length)} messages have`
    } waited for ${howLong} to be read back from Gumroad, and nothing of what they tell counts until then`;
    return [...new Set(some.map(({ buyer }) => buyer))].map((buyer) =>
      [buyer, { code: "UNREAD", product: null, what, mend: "sync --waiting", ...note }] as const
    );
  }
}

/** Adds a buyer's findings to those of others; what only one buyer's own command mends has that of the first. */
export function addFindings(all: Map<string, LedgerFinding & { readonly buyers: string[] }>, email: string,
  findings: readonly RecordFinding[]): void {
  for (const finding of findings) {
    const { code, product, what } = finding;
    const key = JSON.stringify([code, product, what]);
    const known = all.get(key) ?? { ...finding, buyers: [] };
    known.buyers.push(email);
    all.set(key, known);
  }
}

/** A name as one argument of a command line. */
function quoted(name: string): string {
  return /^[\w.@-]+$/.test(name) ? name : `"${name}"`;
}
