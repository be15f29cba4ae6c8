import { createHash } from "node:crypto";

import * as z from "zod/mini";

import { RefusedError } from "../errors.ts";
import { jsonIn } from "../json.ts";
import { actShape, claimantShape, kept, sourceIdShape } from "../access/facts.ts";
import { pingShape } from "../gumroad/ping.ts";

/** What a later version says besides goes on with a message, to another buyer's group or into a wait. */
const envelope = { v: z.literal(1), requestId: z.string() };

/**
 * `receivedAt`: when the ping came in (epoch ms). `pingId` names it in the history, so that the same one twice is one
 * line. `buyer` (normalized email) is whose record it goes to: the ping's own, or, once forwarded, the source's owner.
 * `misses`: how often Gumroad's API didn't know what it is about. `again`: it was read back once already, and the
 * answer contradicted it. `given`: the giver's side of a gift, on its way to the receiver.
 */
const pingMessage = kept({ ...envelope, kind: z.literal("ping"), receivedAt: z.number(), pingId: z.string(),
  buyer: z.string(), hops: z.number(), misses: z.number(), again: z.boolean(), given: z.boolean(), ping: pingShape });

/**
 * A record is due: something waits, failed, or changes with time. `anew`: Auth0 is looked at anew, and what the record
 * says is there counts as unknown; left out, it counts. `invite`: as of a hint.
 */
const dueMessage = kept({ ...envelope, kind: z.literal("due"), buyer: z.string(), anew: z.optional(z.boolean()),
  invite: z.optional(z.boolean()) });

/**
 * `saleId` or `subscriptionId`, one of the two, is to be read back; `sweep` found it at `foundAt` (epoch ms). `adopt`:
 * roles that the buyer's users have already count as ours where their purchases give them; left out, they don't.
 * `invite`: who gets a user by it is invited; left out, they aren't, for they may have bought long ago.
 */
const hintMessage = kept({ ...envelope, kind: z.literal("hint"), buyer: z.string(), hops: z.number(),
  saleId: z.nullable(z.string()), subscriptionId: z.nullable(z.string()), sweep: z.string(), foundAt: z.number(),
  adopt: z.optional(z.boolean()), invite: z.optional(z.boolean()) });

/** An operator wants the mail with which a buyer gets in sent (again). */
const inviteMessage = kept({ ...envelope, kind: z.literal("invite"), buyer: z.string(), by: z.string(),
  why: z.string() });

/** What an operator decided about a source. */
const actMessage = kept({ ...envelope, kind: z.literal("act"), buyer: z.string(), hops: z.number(),
  source: sourceIdShape, act: actShape });

/** A source that an operator moved, on its way to its new owner. `from` is whose record still holds the facts. */
const movedMessage = kept({ ...envelope, kind: z.literal("moved"), buyer: z.string(), from: z.string(),
  source: sourceIdShape, act: actShape });

/** Held removals of this product: are they to go on, or does the buyer keep what they have? */
const heldMessage = kept({ ...envelope, kind: z.literal("held"), buyer: z.string(), productId: z.string(),
  decision: z.enum(["release", "keep"]), at: z.number(), by: z.string(), why: z.string() });

/** A user whom the record doesn't know logged in. `spelling`: the email as they have it, where that differs. */
const bindMessage = kept({ ...envelope, kind: z.literal("bind"), buyer: z.string(),
  spelling: z.nullable(z.string()) });

/**
 * Somebody showed the licence key of a sale of this buyer's (`decided` is null), or an operator decided about that.
 * By the sale: the subscription it is `under` may be what a buyer typed, see license.ts, so that alone only requests.
 */
const claimMessage = kept({ ...envelope, kind: z.literal("claim"), buyer: z.string(), hops: z._default(z.number(), 0),
  saleId: z.string(), under: z.nullish(sourceIdShape), by: claimantShape, at: z.number(),
  decided: z.nullable(z.object({ state: z.enum(["granted", "refused"]), by: z.string(), why: z.string() })) });

const messageShape = z.discriminatedUnion("kind", [pingMessage, dueMessage, hintMessage, actMessage, movedMessage,
  heldMessage, bindMessage, inviteMessage, claimMessage]);

/** How a version before let a ping wait in the queue. Looked at sooner than that meant, it begins afresh. */
const laterMessage = z.object({ kind: z.literal("later"), message: pingMessage });

/** What the queue carries for one buyer: only the fields that are used; no card, address or IP. */
export type Message = z.infer<typeof messageShape>;
/** A message of these kinds. */
export type MessageOf<Kind extends Message["kind"]> = Extract<Message, { readonly kind: Kind }>;

/** What can never be right, for a person: what was wrong, and the body as it came, less its private fields. */
const deadLetter = z.object({ code: z.string(), reason: z.string(), requestId: z.string(), body: z.string() });

/** Reads a letter of the dead-letter queue, where its body is encoded; null for any other message. */
export function readKeptLetter(body: string): z.infer<typeof deadLetter> | null {
  const letter = deadLetter.safeParse(jsonIn(body)).data;
  return letter === undefined ? null : { ...letter, body: Buffer.from(letter.body, "base64").toString("utf8") };
}

/** An id as FIFO queues take one, which is no free text: 64 hexadecimal characters. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Reads a message of the queue. Throws RefusedError MESSAGE_INVALID for what this version can't read. */
export function readMessage(body: string): Message {
  const json = jsonIn(body);
  if (json === undefined) throw new RefusedError("MESSAGE_INVALID", "The message is not JSON.");
  const later = laterMessage.safeParse(json).data;
  const parsed = messageShape.safeParse(later === undefined ? json : { ...later.message, misses: 0 });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RefusedError("MESSAGE_INVALID", `The message has a wrong value at "${issue?.path.join(".") ?? ""}".`);
}
