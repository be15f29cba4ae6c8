import { RefusedError } from "../errors.ts";
import type { Message } from "./message.ts";

/**
 * What each function that takes calls from outside may send. An operator's decisions aren't among it: whoever took one
 * of them over could give themselves access with those.
 */
const MAY_SEND: Readonly<Record<string, readonly Message["kind"][]>> = { ping: ["ping"], bind: ["bind"],
  reconcile: ["due", "hint"], claim: ["claim"] };

/** The code of what somebody sent who may not: it isn't carried out when it is sent back, either. */
export const SENDER_NOT_OPERATOR = "SENDER_NOT_OPERATOR";

/** Functions' roles: each role's id, and its function's name. */
export type OutsideRoles = ReadonlyMap<string, string>;

/** Reads the setting OUTSIDE_ROLES: `ping:AROA…,bind:AROA…`. */
export function outsideRolesOf(setting: string): OutsideRoles {
  return new Map(setting.split(",").map((each) => {
    const [name = "", id = ""] = each.split(":");
    return [id, name];
  }));
}

/**
 * Refuses what a function sends that is not its to send.
 * @param senderId who sent the message, as SQS says it: for a role its id, a colon and the session
 * @throws {RefusedError} SENDER_NOT_OPERATOR
 */
export function requireSender(message: Message, senderId: string, outsideRoles: OutsideRoles): void {
  const name = outsideRoles.get(senderId.split(":")[0] ?? "");
  const isDecision = message.kind === "claim" && message.decided !== null;
  if (name === undefined || (MAY_SEND[name]?.includes(message.kind) === true && !isDecision)) return;
  throw new RefusedError(SENDER_NOT_OPERATOR, `${name} sent what it may not (${message.kind}): ${senderId}.`);
}
