import type { Command } from "commander";

import { isSourceId, type SourceId } from "../../access/facts.ts";
import { dynamoHistory, type History } from "../../ledger/history.ts";
import { dynamoLedger } from "../../ledger/ledger.ts";
import { buyerEmail } from "../buyer-email.ts";
import type { Context } from "../context.ts";
import { wordsOf } from "../event-words.ts";
import { eventLine, showExplanation } from "../explain-text.ts";
import { explained } from "../explaining.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { examples } from "../help.ts";
import { serviceDirectory } from "../stage-directory.ts";

/** Adds `explain`. */
export function register(program: Command, context: Context): void {
  program
    .command("explain")
    .summary("why somebody has, or has not, each role")
    .description(
      "Shows a buyer's purchases and what each gives and why, their users with what our record says and what Auth0 says now, what waits and for what, what would change if the record were looked at now, and every event in order (UTC). Changes nothing. Exit code 1 for somebody of whom nothing is known.",
    )
    .argument("<who>", "the buyer's email; or a purchase: sale:ID, subscription:ID")
    .addHelpText("after", examples(["explain ann@example.com", "all about ann"], ["explain sale:fH9XoNJ-gQtcIacRpiKnyg== --stage prod", "whose purchase that is, and all about them"], ["explain ann@example.com --json", "for a script"]))
    .action(context.action((who: string) => explain(who, context)));
}

async function explain(who: string, context: Context): Promise<ExitCode> {
  const { dynamo, ledger: table } = await context.stage();
  const history = dynamoHistory(dynamo, table);
  const email = isSourceId(who) ? await ownerOf(who, history, context) : buyerEmail(who);
  if (email === null) return EXIT.failed;
  const record = await dynamoLedger(dynamo, table).load(email);
  const events = await history.of(email);
  if (record.version === 0 && events.length === 0) {
    context.output.say(`nothing is known of ${email}. Another address, perhaps? A purchase is found by its id, too: ${context.commandLine("explain sale:ID")}`);
    context.output.result({ buyer: email, known: false });
    return EXIT.failed;
  }
  const explanation = await explained({ record, events, policy: await context.policy(), directory: () => serviceDirectory(context), now: context.now() });
  showExplanation(explanation, context.output);
  context.output.result({ known: true, ...explanation });
  return EXIT.ok;
}

/** Whose a purchase is; null, once that is said, where it is nobody's. */
async function ownerOf(source: SourceId, history: History, { output }: Context): Promise<string | null> {
  const { owner, waiting, events } = await history.ofSource(source);
  if (owner !== null) {
    output.say(`${source} is ${owner}'s\n`);
    return owner;
  }
  output.say(waiting === null ? `nothing is known of ${source}` : `nobody has bought ${source} yet, as far as is known: what was told of it waits for its sale`);
  for (const event of events) output.say(`  ${eventLine(event.receivedAt, event.source, wordsOf(event))}`);
  output.result({ source, known: false, waiting, events });
  return null;
}
