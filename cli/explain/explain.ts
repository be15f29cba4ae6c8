import type { HistoryEvent } from "../../src/ledger/ledger.ts";
import { isSourceId } from "../../src/access/facts.ts";
import { normalizedEmail } from "../../src/gumroad/email.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { type Answer, explainedWho, type Searched } from "../operations/explain-who.ts";
import type { ToldLetter } from "../operations/discard.ts";
import type { FoundBuyer } from "../operations/find-buyers.ts";
import { momentOf } from "../terminal/moments.ts";
import { counted } from "../terminal/progress.ts";
import { wordsOf } from "./event-words.ts";
import { eventLine, showExplanation } from "./text.ts";

/** The flags of `explain`, as commander gives them. */
export interface ExplainFlags {
  readonly search?: true;
}

/** Says why somebody has what they have. */
export async function explain(who: string, flags: ExplainFlags, context: Context): Promise<ExitCode> {
  const search = flags.search === true;
  const answer = await operate(context, (operating) => explainedWho({ who, search }, operating));
  switch (answer.kind) {
    case "not sold":
      return tellUnsold(answer, context);
    case "unclear":
      return tellUnclear(who, answer.found, context);
    case "unknown":
      tellMeant(who, answer.meant, context);
      return tellUnknown(answer, context);
    case "known": {
      const { explanation, letters, unsold, seen } = answer;
      tellMeant(who, answer.meant, context);
      tellSeen(answer, explanation.buyer, context);
      showExplanation(explanation, context);
      tellLetters(letters, context);
      if (unsold !== null && unsold.length > 0) showUnsold(explanation.buyer, unsold, context);
      context.output.result({ known: true, ...explanation, letters, unsold, seen });
      return EXIT.ok;
    }
  }
}

/** Whom a text means, where it isn't their email itself. */
function tellMeant(who: string, { email, because }: FoundBuyer, { output }: Context): void {
  if (isSourceId(who)) output.say(`${who} is ${email}'s\n`);
  else if (email !== normalizedEmail(who.trim())) output.say(`${email} ${because}\n`);
}

function tellSeen({ seen }: Searched, email: string, { output, commandLine }: Context): void {
  for (const { source, owner } of seen ?? []) {
    output.say(`${source} is ${owner}'s, and was seen under ${email}: ${commandLine(`transfer ${source} ${email}`)}`);
  }
}

function tellUnsold({ source, traces: { waiting, events } }: Extract<Answer, { kind: "not sold" }>,
  { output }: Context): ExitCode {
  output.say(
    waiting === null
      ? `nothing is known of ${source}`
      : `nobody has bought ${source} yet, as far as is known: what was told of it waits for its sale`,
  );
  for (const event of events) output.say(`  ${eventLine(event.receivedAt, event.source, wordsOf(event))}`);
  output.result({ source, known: false, waiting, events });
  return EXIT.failed;
}

function tellUnclear(who: string, found: readonly FoundBuyer[], { output, commandLine }: Context): ExitCode {
  const [first] = found;
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
  return EXIT.failed;
}

function tellLetters(letters: readonly ToldLetter[], { output, commandLine }: Context): void {
  if (letters.length === 0) return;
  output.say(`\n${output.tone("strong", "In the dead-letter queue")}`);
  for (const { letter, code, what, since, reason } of letters) {
    output.say(`  ${what} (${code}, since ${momentOf(since)}, letter ${letter}): ${reason}`);
  }
  output.say(`  what can be sent back once that is mended: ${commandLine("replay --dead-letters --dry-run")}`);
}

function tellUnknown({ meant: { email }, letters, unsold, seen, gave, queued }: Extract<Answer, { kind: "unknown" }>,
  context: Context): ExitCode {
  const { output, commandLine } = context;
  tellSeen({ letters, unsold, seen }, email, context);
  output.say(
    `nobody is known as ${email}. Another address, perhaps? A purchase is found by its id, too: ${
      commandLine("explain sale:ID")
    }`,
  );
  for (const { source, receiver } of gave) {
    output.say(`they gave ${source} to ${receiver}: ${commandLine(`explain ${receiver}`)}`);
  }
  if (queued > 0) {
    output.say(`${counted(queued, "message")} in the queue still: what came a moment ago may be among them`);
  }
  showUnsold(email, unsold, context);
  tellLetters(letters, context);
  output.result({ buyer: email, known: false, letters, unsold, seen, gave, queued });
  return EXIT.failed;
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
