import { entriesOf, isSourceId, type SourceId } from "../../src/access/facts.ts";
import { dynamoHistory, type History } from "../ledger/history.ts";
import { dynamoLedger, type HistoryEvent } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { buyerEmail } from "../commands/buyer-email.ts";
import type { Context } from "../context.ts";
import { wordsOf } from "./event-words.ts";
import { eventLine, showExplanation } from "./text.ts";
import { explained } from "./explaining.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { serviceDirectory } from "../stage/directory.ts";

/** The flags of `explain`, as commander gives them. */
export interface ExplainFlags {
  readonly search?: true;
}

/** Says why somebody has what they have. */
export async function explain(who: string, { search }: ExplainFlags, context: Context): Promise<ExitCode> {
  const { dynamo, ledger: table } = await context.stage();
  const history = dynamoHistory(dynamo, table);
  const email = isSourceId(who) ? await ownerOf(who, history, context) : buyerEmail(who);
  if (email === null) return EXIT.failed;
  const stored = await dynamoLedger(dynamo, table).load(email);
  const told = await history.of(email);
  const record = { ...stored, sources: { ...(await history.apartFrom(stored, told)), ...stored.sources } };
  const events = await withEarlier(told, record, history);
  const unsold = search === true ? await history.unsoldOf(email) : null;
  const seen = search === true ? await history.seenUnder(email) : null;
  for (const { source, owner } of seen ?? []) {
    context.output.say(
      `${source} is ${owner}'s, and was seen under ${email}: ${context.commandLine(`transfer ${source} ${email}`)}`,
    );
  }
  if (record.version === 0 && events.length === 0) {
    context.output.say(
      `nobody is known as ${email}. Another address, perhaps? A purchase is found by its id, too: ${
        context.commandLine("explain sale:ID")
      }`,
    );
    showUnsold(email, unsold, context);
    context.output.result({ buyer: email, known: false, unsold, seen });
    return EXIT.failed;
  }
  const explanation = await explained({ record, events, policy: await context.policy(),
    directory: () => serviceDirectory(context), now: context.now() });
  showExplanation(explanation, context.output);
  if (unsold !== null && unsold.length > 0) showUnsold(email, unsold, context);
  context.output.result({ known: true, ...explanation, unsold, seen });
  return EXIT.ok;
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
