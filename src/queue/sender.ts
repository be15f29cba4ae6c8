import { RefusedError } from "../errors.ts";
import type { Message } from "./message.ts";

const decisions: readonly Message["kind"][] = ["act", "moved", "held", "invite"];

/**
 * Refuses an operator's decision that comes from a function which takes calls from outside: whoever took one over
 * could give themselves access with it.
 * @param senderId who sent the message, as SQS says it: for a role its id, a colon and the session
 * @param outsideRoles the ids of those functions' roles
 * @throws {RefusedError} SENDER_NOT_OPERATOR
 */
export function requireOperator({ kind }: Message, senderId: string, outsideRoles: readonly string[]): void {
  if (!decisions.includes(kind) || !outsideRoles.includes(senderId.split(":")[0] ?? "")) return;
  throw new RefusedError("SENDER_NOT_OPERATOR",
    `A function sent what only an operator decides (${kind}): ${senderId}.`);
}
