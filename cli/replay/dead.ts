import { ConfigError } from "../../src/errors.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import { sqsQueue } from "../../src/queue/queue.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { momentOf } from "../terminal/moments.ts";
import { pingUrl } from "../pings/ping-url.ts";
import { afresh, dropLetter, giveBack, type Letter, shortId, takeLetters, TRIED_TEN_TIMES,
  whatIn } from "./letters.ts";
import { postPing, routingOf } from "./pings.ts";
import { replayTarget } from "./settings.ts";
import { pingToken } from "../pings/service-ping.ts";
import type { Stage } from "../stage/stage.ts";

/** What became of a letter. */
type Outcome =
  /** Back in the queue, or taken by the front door: it isn't in the dead-letter queue any more. */
  | "replayed"
  /** The front door refused it again: it is where it was, as old as it was; for another reason, it is there anew. */
  | "refused again"
  /** It is where it was. */
  | "left"
  /** A dry run. */
  | "would be replayed";

interface Dealt {
  readonly letter: Letter;
  readonly outcome: Outcome;
  /** Why it was left, or refused. */
  readonly why: string;
}

/** A letter with all that is known of why it is there. */
type Explained = Dealt & { readonly reason: string };

/** Answers after which the door has kept the body itself, see docs/answers.md: what was sent is there again. */
const KEPT_ANSWERS: readonly number[] = [400, 403, 413, 415];

/**
 * Takes the dead-letter queue back: messages of ours go into the queue again, pings that were refused to the ping URL.
 * Errors of the AWS SDK go through.
 * @throws {ConfigError} REPLAY_CODE if no letter has the code
 */
export async function replayDeadLetters(codes: readonly string[], dryRun: boolean,
  context: Context): Promise<ExitCode> {
  const stage = await context.stage();
  const chosen = ({ code }: Letter): boolean => codes.length === 0 || codes.includes(code);
  const dealt: Explained[] = [];
  const held: Letter[] = [];
  try {
    // A buyer's later messages show once the earlier ones are dealt with; what a replayed ping left there anew is not
    // taken up again.
    for (let isFirst = true;; isFirst = false) {
      const letters = await takeLetters(stage);
      held.push(...letters);
      for (const anew of letters.filter(({ messageId }) =>
        !isFirst && !dealt.some((each) => each.letter.messageId === messageId)
      )) {
        const old = dealt.find(({ letter, outcome }) => outcome === "refused again" && isSamePing(letter, anew));
        if (old === undefined) continue;
        // Of the two that say the same the older stays: nobody is to take it for something new.
        const gone = old.letter.code === anew.code ? anew : old.letter;
        await dropLetter(stage, gone);
        held.splice(held.indexOf(gone), 1);
      }
      const mine = letters.filter((letter) => chosen(letter) && (isFirst || letter.code === TRIED_TEN_TIMES));
      if (isFirst) requireCodes(codes, letters);
      for (const letter of mine) {
        const reason = await reasonOf(letter, stage);
        const each = dryRun ? planned(letter) : await replayOne(letter, stage, context);
        dealt.push({ ...each, reason: each.why === "" ? reason : each.why });
        if (each.outcome === "replayed") {
          await dropLetter(stage, letter);
          held.splice(held.indexOf(letter), 1);
        }
      }
      if (dryRun || mine.length === 0) break;
    }
  } finally {
    await giveBack(stage, held);
  }
  report(dealt, dryRun, context, stage);
  return dealt.every(({ outcome }) => outcome === "replayed" || outcome === "would be replayed")
    ? EXIT.ok
    : EXIT.failed;
}

function isSamePing({ content }: Letter, other: Letter): boolean {
  return content.kind === "ping" && other.content.kind === "ping" && content.body === other.content.body;
}

function requireCodes(codes: readonly string[], letters: readonly Letter[]): void {
  const present = [...new Set(letters.map(({ code }) => code))].sort();
  const absent = codes.filter((code) => !present.includes(code));
  if (absent.length > 0) {
    throw new ConfigError("REPLAY_CODE",
      `the dead-letter queue holds nothing of code ${absent.join(", ")}: ${
        present.length === 0 ? "it is empty" : `only ${present.join(", ")}`
      }`);
  }
}

function planned(letter: Letter): Dealt {
  const { content } = letter;
  return content.kind === "unusable"
    ? { letter, outcome: "left", why: content.why }
    : { letter, outcome: "would be replayed", why: "" };
}

async function replayOne(letter: Letter, stage: Stage, context: Context): Promise<Dealt> {
  const { content } = letter;
  switch (content.kind) {
    case "unusable":
      return planned(letter);
    case "message":
      // Named after the letter: should this die before the letter is deleted, the next run's is the same message.
      await sqsQueue(stage.sqs, { queue: stage.queue, deadLetters: stage.deadLetters }).send(afresh(content.message),
        `replayed ${letter.messageId}`);
      return { letter, outcome: "replayed", why: "" };
    case "ping":
      return postAgain(letter, content.body, stage, context);
  }
}

async function postAgain(letter: Letter, text: string, stage: Stage, context: Context): Promise<Dealt> {
  const target = replayTarget(pingUrl(stage, await pingToken(stage, context)), "");
  const { status, error } = await postPing({ file: "", body: Buffer.from(text, "utf8"), ...routingOf(text) }, target);
  if (status === 200) return { letter, outcome: "replayed", why: "" };
  const why = error ?? `answered ${String(status)}`;
  return { letter, outcome: status !== null && KEPT_ANSWERS.includes(status) ? "refused again" : "left", why };
}

/** SQS doesn't say what failed ten times; the buyer's record may. */
async function reasonOf({ code, reason, content }: Letter, { dynamo, ledger }: Stage): Promise<string> {
  if (code !== TRIED_TEN_TIMES || content.kind !== "message" || content.message.kind === "later") return reason;
  const { unsettled } = await dynamoLedger(dynamo, ledger).load(content.message.buyer);
  return unsettled === null ? reason : `${reason} ${unsettled.code}: ${unsettled.message}`;
}

function report(dealt: readonly Explained[], dryRun: boolean, { output, commandLine }: Context, stage: Stage): void {
  const letters = dealt.map(({ letter, outcome, reason }) => ({ letter: shortId(letter), code: letter.code,
    since: new Date(letter.sentAt).toISOString(), ...whatIn(letter), outcome, reason })
  );
  output.result({ stage: stage.name, dryRun, letters });
  if (letters.length === 0) {
    output.say("the dead-letter queue is empty");
    return;
  }
  output.table(["letter", "code", "since", "what", "buyer", "outcome", "reason"],
    letters.map((
      { letter, code, since, what, buyer, outcome, reason },
    ) => [letter, code, momentOf(Date.parse(since)), what, buyer ?? "-", outcome, reason]));
  if (letters.some(({ outcome }) => outcome === "left" || outcome === "refused again")) {
    output.say(`What can never be used: ${commandLine("discard LETTER --why …")}`);
  }
  if (dryRun) output.say(`Mend the causes, then: ${commandLine("replay --dead-letters")}`);
}
