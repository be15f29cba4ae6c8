import { ConfigError } from "../../src/errors.ts";
import { sourceOfPing, sourceOfRow } from "../../src/gumroad/facts.ts";
import type { SourceId } from "../../src/access/facts.ts";
import { dropLetter, giveBack, type Letter, shortId, takeLetters, whatIn } from "../replay/letters.ts";
import type { Signature } from "./carry-out.ts";
import type { Operating } from "./operating.ts";

/** A letter of the dead-letter queue, as it is told of. */
export interface ToldLetter {
  readonly letter: string;
  readonly code: string;
  readonly reason: string;
  /** When it came there (epoch ms). */
  readonly since: number;
  readonly what: string;
  readonly buyer: string | null;
}

/**
 * Deletes a letter of the dead-letter queue that can never be used; without a signature only looks for it. Whose it is
 * keeps a line of it in their history, where anything is known of them.
 * @throws {ConfigError} LETTER_UNKNOWN, LETTER_UNCLEAR
 */
export async function discarded(id: string, signature: Signature | null,
  { stage, ledger, now, commandLine }: Operating): Promise<ToldLetter> {
  const letters = [...(await takeLetters(stage))];
  try {
    const fitting = letters.filter(({ messageId }) => messageId.startsWith(id));
    const [letter] = fitting;
    if (letter === undefined) {
      throw new ConfigError("LETTER_UNKNOWN",
        `the dead-letter queue has no letter ${id}: ${commandLine("replay --dead-letters --dry-run")} lists them`);
    }
    if (fitting.length > 1) {
      throw new ConfigError("LETTER_UNCLEAR", `several begin so: ${
        fitting.map(({ messageId }) => messageId).join(", ")
      }`);
    }
    const told = toldOf(letter);
    if (signature === null) return told;
    const source = sourceIn(letter);
    if (told.buyer !== null && source !== null && (await ledger.load(told.buyer)).version > 0) {
      await ledger.remember(`buyer#${told.buyer}`, { id: `discarded ${letter.messageId}`, receivedAt: now(),
        requestId: letter.messageId, source, detail: { event: "discarded", ...signature, code: letter.code } });
    }
    await dropLetter(stage, letter);
    letters.splice(letters.indexOf(letter), 1);
    return told;
  } finally {
    await giveBack(stage, letters);
  }
}

/** A letter as it is told of. */
export function toldOf(letter: Letter): ToldLetter {
  const { code, reason, sentAt: since } = letter;
  return { letter: shortId(letter), code, reason, since, ...whatIn(letter) };
}

/** What the letter is about, where its message says so. */
function sourceIn({ content }: Letter): SourceId | null {
  if (content.kind !== "message") return null;
  const { message } = content;
  if (message.kind === "ping") return sourceOfPing(message.ping);
  if (message.kind === "act" || message.kind === "moved") return message.source;
  if (message.kind !== "hint") return null;
  return sourceOfRow({ id: message.saleId ?? "", subscriptionId: message.subscriptionId });
}
