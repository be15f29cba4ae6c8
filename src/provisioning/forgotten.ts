import * as z from "zod/mini";

import { grantedRole, type Source, type SourceId } from "../access/facts.ts";
import { NeedsPersonError } from "../errors.ts";
import { factsOfPing, sourceOfPing } from "../gumroad/facts-of-ping.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import type { Tombstones } from "../ledger/tombstones.ts";
import { causesOf, log } from "../log.ts";
import { needsPerson } from "../metrics.ts";
import type { Message } from "../queue/message.ts";
import { isMine } from "./owners.ts";
import type { Answer } from "./read-back.ts";

/** The secret `gumroad-auth0/{stage}/forget`: what tombstones are hashed with. With another key, none is found. */
export const forgetSecretShape = z.object({ key: z.string().check(z.minLength(32)) });

type Forgotten = Pick<Tombstones, "forgottenAt">;

/** What tells who was forgotten. Without tombstones, nobody was. */
export interface Remembrance {
  readonly tombstones?: Forgotten | undefined;
  readonly ledger: Pick<Ledger, "owner">;
}

/**
 * Tombstones whose key is read only when somebody asks, and of which there are none while the secret has no value or a
 * broken one: somebody must mend that, but no purchase waits for it.
 * @throws {TemporaryError} where the secret or the ledger can't be read just now
 */
export function whoWasForgotten(secret: () => Promise<z.infer<typeof forgetSecretShape> | null>,
  open: (key: string) => Forgotten): Forgotten {
  return { forgottenAt: async (subject) => {
    const known = await secret().catch(toldToMend);
    return known === null ? null : open(known.key).forgottenAt(subject);
  } };
}

function toldToMend(error: unknown): null {
  if (!(error instanceof NeedsPersonError)) throw error;
  needsPerson(error.message, { causes: causesOf(error) });
  return null;
}

/** What a message would bring: to whom, of which purchase, and when that was made or decided. */
interface Brought {
  readonly buyer: string;
  readonly source: SourceId | null;
  /** Epoch ms; null where nothing tells. */
  readonly at: number | null;
}

/**
 * Whether a message would bring back somebody who was forgotten: a ping told again, what a sweep found, an operator's
 * act from before. What was bought or decided after the forgetting counts, and with it the whole purchase from then
 * on: a membership that goes on is paid for. `answer` is what Gumroad's API said, where it was asked.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function isForgotten(message: Message, answer: Answer | null, record: BuyerRecord,
  { tombstones, ledger }: Remembrance): Promise<boolean> {
  const brought = broughtBy(message, answer, record);
  if (tombstones === undefined || brought === null || !(await isOfForgotten(brought, record, tombstones, ledger))) {
    return false;
  }
  // No tag of the buyer: it would tell whom this is about.
  log.info("about somebody who was forgotten: dropped", { requestId: message.requestId, kind: message.kind });
  return true;
}

async function isOfForgotten({ buyer, source, at }: Brought, record: BuyerRecord, { forgottenAt }: Forgotten,
  ledger: Remembrance["ledger"]): Promise<boolean> {
  if (source === null || grantedRole(source) !== null) {
    const since = await forgottenAt(`buyer:${buyer}`);
    return since !== null && (at === null ? record.version === 0 : at <= since);
  }
  if (isMine(record, source)) return false;
  // Of a purchase that wasn't forgotten itself, a message without a sale gives nobody anything.
  const since = (await forgottenAt(source)) ?? (at === null ? null : await forgottenAt(`buyer:${buyer}`));
  // Somebody who owns it by now bought it since, or got it from an operator.
  return since !== null && (at === null || at <= since) && (await ledger.owner(source)) === null;
}

function broughtBy(message: Message, answer: Answer | null, { email }: BuyerRecord): Brought | null {
  if (answer !== null) return { buyer: answer.owner ?? email, source: answer.source, at: newestSale(answer.facts) };
  switch (message.kind) {
    case "ping":
      return { buyer: email, source: sourceOfPing(message.ping),
        at: newestSale(factsOfPing(message.ping, message.receivedAt)) };
    case "act":
    case "moved":
      return { buyer: email, source: message.source, at: message.act.at };
    case "held":
    case "claim":
      return { buyer: email, source: null, at: message.at };
    case "bind":
    case "invite":
      return { buyer: email, source: null, at: null };
    case "hint":
    case "due":
      return null;
  }
}

function newestSale({ charges }: Source): number | null {
  return charges.length === 0 ? null : Math.max(...charges.map(({ soldAt }) => soldAt));
}
