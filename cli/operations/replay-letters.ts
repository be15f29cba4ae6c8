import { ConfigError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { unreadBy, unreadWords } from "../ledger/unread.ts";
import { pingUrl } from "../pings/ping-url.ts";
import { pingToken } from "../pings/service-ping.ts";
import { afresh, dropLetter, giveBack, type Letter, takeLetters, TRIED_TEN_TIMES } from "../replay/letters.ts";
import { postPing, routingOf } from "../replay/pings.ts";
import { replayTarget } from "../replay/settings.ts";
import { type ToldLetter, toldOf } from "./discard.ts";
import type { Operating } from "./operating.ts";

/** What became of a letter. */
export type LetterOutcome =
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
  readonly outcome: LetterOutcome;
  /** Why it was left, or refused. */
  readonly why: string;
}

/** A letter as it is told of, with all that is known of why it is there, and what became of it. */
export interface DealtLetter extends ToldLetter {
  readonly outcome: LetterOutcome;
}

/** Answers after which the door has kept the body itself, see docs/answers.md: what was sent is there again. */
const KEPT_ANSWERS: readonly number[] = [400, 403, 413, 415];

/**
 * Takes the dead-letter queue back: messages of ours go into the queue again, pings that were refused to the ping URL.
 * Errors of the AWS SDK go through.
 * @throws {ConfigError} REPLAY_CODE if no letter has the code
 */
export async function lettersReplayed(codes: readonly string[], dryRun: boolean,
  operating: Operating): Promise<readonly DealtLetter[]> {
  const dealt = await dealtWith(codes, dryRun, operating);
  return dealt.map(({ letter, outcome, reason }) => ({ ...toldOf(letter), reason, outcome }));
}

async function dealtWith(codes: readonly string[], dryRun: boolean,
  operating: Operating): Promise<readonly (Dealt & { readonly reason: string })[]> {
  const { stage } = operating;
  const chosen = ({ code }: Letter): boolean => codes.length === 0 || codes.includes(code);
  const dealt: (Dealt & { readonly reason: string })[] = [];
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
        const reason = await reasonOf(letter, operating);
        const each = dryRun ? planned(letter) : await replayOne(letter, operating);
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
  return dealt;
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

async function replayOne(letter: Letter, operating: Operating): Promise<Dealt> {
  const { content } = letter;
  switch (content.kind) {
    case "unusable":
      return planned(letter);
    case "message":
      // Named after the letter: should this die before the letter is deleted, the next run's is the same message.
      await operating.queue.send(afresh(content.message), `replayed ${letter.messageId}`);
      return { letter, outcome: "replayed", why: "" };
    case "ping":
      return postAgain(letter, content.body, operating);
  }
}

async function postAgain(letter: Letter, text: string, operating: Operating): Promise<Dealt> {
  const target = replayTarget(pingUrl(operating.stage, await pingToken(operating.stage, operating)), "");
  const { status, error } = await postPing({ file: "", body: Buffer.from(text, "utf8"), ...routingOf(text) }, target);
  if (status === 200) return { letter, outcome: "replayed", why: "" };
  const why = error ?? `answered ${String(status)}`;
  return { letter, outcome: status !== null && KEPT_ANSWERS.includes(status) ? "refused again" : "left", why };
}

/** SQS doesn't say what failed ten times; the buyer's record may, or what waits beside it. */
async function reasonOf({ code, reason, content }: Letter, { stage, ledger }: Operating): Promise<string> {
  if (code !== TRIED_TEN_TIMES || content.kind !== "message") return reason;
  const { buyer } = content.message;
  const { unsettled } = await ledger.load(buyer);
  if (unsettled !== null) return `${reason} ${unsettled.code}: ${unsettled.message}`;
  const unread = await unreadBy(ledgerTable(stage.dynamo, stage.ledger), buyer);
  const [first] = unread;
  if (first === undefined) return reason;
  return `${reason} Of what waits for this buyer (${String(unread.length)}) the oldest: ${unreadWords(first)}.`;
}
