import * as z from "zod/mini";

import { grantedRole, type Source } from "../access/facts.ts";
import { NeedsPersonError } from "../errors.ts";
import { factsOfPing, sourceOfPing } from "../gumroad/facts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import type { Tombstones } from "../ledger/tombstones.ts";
import { causesOf, log } from "../log.ts";
import { needsPerson } from "../metrics.ts";
import type { Message } from "../queue/message.ts";
import type { Store } from "./context.ts";
import { isMine } from "./owners.ts";
import type { Answer } from "./read-back.ts";

/** The secret `gumroad-auth0/{stage}/forget`: what tombstones are hashed with. With another key, none is found. */
export const forgetSecretShape = z.object({ key: z.string().check(z.minLength(32)) });

/**
 * Tombstones whose key is read once somebody asks. While the secret has no value or a broken one there are none: that
 * needs a person, but no purchase waits for it.
 * @throws {TemporaryError} where the secret or the ledger can't be read just now
 */
export function whoWasForgotten(secret: () => Promise<z.infer<typeof forgetSecretShape> | null>,
  open: (key: string) => Tombstones): Tombstones {
  return { forgottenAt: async (subject) => {
    const known = await secret().catch((error: unknown) => {
      if (!(error instanceof NeedsPersonError)) throw error;
      needsPerson(error.message, { causes: causesOf(error) });
      return null;
    });
    return known === null ? null : open(known.key).forgottenAt(subject);
  } };
}

/**
 * Whether a message would bring back somebody who was forgotten: a ping told again, what a sweep found, an old act.
 * What was bought or decided after the forgetting counts, and the whole purchase with it: a membership that goes on is
 * paid for. `answer` is what Gumroad's API said, where it was asked.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function isForgotten(message: Message, answer: Answer | null, record: BuyerRecord,
  store: Pick<Store, "tombstones"> & { readonly ledger: Pick<Ledger, "owner"> }): Promise<boolean> {
  const brought = broughtBy(message, answer, record);
  if (store.tombstones === undefined || brought === null) return false;
  const { buyer, source, at } = brought;
  const { forgottenAt } = store.tombstones;
  let isIt = false;
  if (source === null || grantedRole(source) !== null) {
    const since = await forgottenAt(`buyer:${buyer}`);
    isIt = since !== null && (at === null ? record.version === 0 : at <= since);
  } else if (!isMine(record, source)) {
    // Of a purchase that wasn't forgotten itself, a message without a sale gives nobody anything.
    const since = (await forgottenAt(source)) ?? (at === null ? null : await forgottenAt(`buyer:${buyer}`));
    // Somebody who owns it by now bought it since, or got it from an operator.
    isIt = since !== null && (at === null || at <= since) && (await store.ledger.owner(source)) === null;
  }
  // No tag of the buyer: it would tell whom this is about.
  if (isIt) {
    log.info("about somebody who was forgotten: dropped", { requestId: message.requestId, kind: message.kind });
  }
  return isIt;
}

/** To whom a message would bring which purchase, made or decided when (epoch ms; null where nothing tells). */
function broughtBy(message: Message, answer: Answer | null, { email }: BuyerRecord) {
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
    case "bind":
    case "invite":
      return { buyer: email, source: null, at: "at" in message ? message.at : null };
    case "hint":
    case "due":
      return null;
  }
}

function newestSale({ charges }: Source): number | null {
  return charges.length === 0 ? null : Math.max(...charges.map(({ soldAt }) => soldAt));
}
