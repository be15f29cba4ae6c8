import { entriesOf, isSourceId, type SourceId } from "../../src/access/facts.ts";
import { dynamoHistory, type History } from "../ledger/history.ts";
import { normalizedEmail } from "../../src/gumroad/email.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { dynamoGifts } from "../../src/ledger/gifts.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger, type HistoryEvent } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import type { Context } from "../context.ts";
import { wordsOf } from "./event-words.ts";
import { eventLine, showExplanation } from "./text.ts";
import { explained } from "../operations/explain.ts";
import { shopAdmin, type ShopAdmin } from "../admin/shop-admin.ts";
import { tenantAdmin } from "../admin/tenant-admin.ts";
import { operate } from "../operating.ts";
import { findBuyers } from "../operations/find-buyers.ts";
import { CALL_MS } from "../operations/operating.ts";
import { readStored } from "../stage/secrets.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { serviceCredentials, serviceDirectory } from "../stage/directory.ts";

/** The flags of `explain`, as commander gives them. */
export interface ExplainFlags {
  readonly search?: true;
}

/** Says why somebody has what they have. */
export async function explain(who: string, { search }: ExplainFlags, context: Context): Promise<ExitCode> {
  const { output, commandLine } = context;
  const { dynamo, ledger: table } = await context.stage();
  const history = dynamoHistory(dynamo, table);
  const shop = once(() => shopNow(context));
  const email = search === true && normalizedEmail(who.trim()) !== null
    ? normalizedEmail(who.trim())
    : await buyerMeant(who, history, shop, context);
  if (email === null) return EXIT.failed;
  const stored = await dynamoLedger(ledgerTable(dynamo, table)).load(email);
  const told = await history.of(email);
  const record = { ...stored, sources: { ...(await history.apartFrom(stored, told)), ...stored.sources } };
  const events = await withEarlier(told, record, history);
  const unsold = search === true ? await history.unsoldOf(email) : null;
  const seen = search === true ? await history.seenUnder(email) : null;
  for (const { source, owner } of seen ?? []) {
    output.say(`${source} is ${owner}'s, and was seen under ${email}: ${commandLine(`transfer ${source} ${email}`)}`);
  }
  if (record.version === 0 && events.length === 0) {
    output.say(
      `nobody is known as ${email}. Another address, perhaps? A purchase is found by its id, too: ${
        commandLine("explain sale:ID")
      }`,
    );
    showUnsold(email, unsold, context);
    output.result({ buyer: email, known: false, unsold, seen });
    return EXIT.failed;
  }
  const admin = once(async () => tenantAdmin(await serviceCredentials(context)));
  const explanation = await explained({ record, events, policy: await context.policy(),
    gifts: await dynamoGifts(ledgerTable(dynamo, table)).of(email), directory: () => serviceDirectory(context),
    logins: async (userId) => (await admin()).logins(userId, AbortSignal.timeout(CALL_MS)), shop,
    now: context.now() });
  showExplanation(explanation, context);
  if (unsold !== null && unsold.length > 0) showUnsold(email, unsold, context);
  output.result({ known: true, ...explanation, unsold, seen });
  return EXIT.ok;
}

/** The one buyer whom a text means; null, once that is said, where it means none or several. */
async function buyerMeant(who: string, history: History, shop: () => Promise<ShopAdmin | null>,
  context: Context): Promise<string | null> {
  const { output, commandLine } = context;
  if (isSourceId(who)) return ownerOf(who, history, context);
  const typed = normalizedEmail(who.trim());
  const found = await operate(context,
    (operating) =>
      findBuyers(who, { operating, order: async (number) =>
        (await (await shop())?.saleOfOrder(number, AbortSignal.timeout(CALL_MS))) ?? null }));
  const [first, another] = found;
  if (first === undefined && typed !== null) return typed;
  if (first !== undefined && another === undefined && first.email !== typed) {
    output.say(`${first.email} ${first.because}\n`);
  }
  if (first !== undefined && another === undefined) return first.email;
  output.say(
    first === undefined
      ? `nobody fits "${who}". It may be an email or a part of one, the 12-digit tag of a log line, the id of a ` +
        "sale or a subscription, an Auth0 user id, and with a Gumroad token an order number"
      : `"${who}" fits several:`,
  );
  if (first !== undefined) {
    output.table(["buyer", "because"], found.map(({ email, because }) => [email, `${email} ${because}`]));
    output.say(commandLine(`explain ${first.email}`));
  }
  output.result({ known: false, who, found });
  return null;
}

/** The shop as the service reads it, with the stage's token; null without one. */
async function shopNow(context: Context): Promise<ShopAdmin | null> {
  const stored = await readStored(await context.stage(), "gumroad");
  return stored.state === "good" ? shopAdmin(gumroadSecretShape.parse(stored.value)) : null;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** Null: nobody has looked. */
function showUnsold(email: string, unsold: readonly HistoryEvent[] | null, { output, commandLine }: Context): void {
  if (unsold === null) {
    output.say(`what waits for word of its sale is looked through with ${commandLine(`explain ${email} --search`)}`);
  } else {output.say(unsold.length === 0
      ? "nothing of theirs waits for word of its sale"
      : "\nThis was told, and waits for word of its sale:");}
  for (const event of unsold ?? []) output.say(`  ${eventLine(event.receivedAt, event.source, wordsOf(event))}`);
}

/** All that was told of a buyer, in order: also what came before its sale, when nobody knew whose it was. */
async function withEarlier(told: readonly HistoryEvent[], { sources }: BuyerRecord,
  history: History): Promise<readonly HistoryEvent[]> {
  const early: HistoryEvent[] = [];
  for (const [id] of entriesOf(sources)) early.push(...(await history.ofSource(id)).events);
  return [...early, ...told].sort((a, b) => a.receivedAt - b.receivedAt);
}

/** Whose a purchase is; null, once that is said, where it is nobody's. */
async function ownerOf(source: SourceId, history: History, { output }: Context): Promise<string | null> {
  const { owner, waiting, events } = await history.ofSource(source);
  if (owner !== null) {
    output.say(`${source} is ${owner}'s\n`);
    return owner;
  }
  output.say(
    waiting === null
      ? `nothing is known of ${source}`
      : `nobody has bought ${source} yet, as far as is known: what was told of it waits for its sale`,
  );
  for (const event of events) output.say(`  ${eventLine(event.receivedAt, event.source, wordsOf(event))}`);
  output.result({ source, known: false, waiting, events });
  return null;
}
