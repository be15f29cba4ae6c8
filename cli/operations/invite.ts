import { randomUUID } from "node:crypto";

import { dueRoles } from "../../src/access/entitlements.ts";
import { ConfigError } from "../../src/errors.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { dynamoHistory } from "../ledger/history.ts";
import type { Signature } from "./carry-out.ts";
import type { Operating } from "./operating.ts";
import { type Came, LOCAL_POLL_MS, POLL_MS, type Waiting } from "./outcome.ts";
import { synced } from "./sync.ts";

/** What came of an invitation: which mail went out, or why none did. */
export type Mailed =
  | { readonly state: "invited" | "asked to verify" | "queued" | "not seen" }
  | { readonly state: "failed" | "waits"; readonly message: string };

/** An invitation, with what came of making Auth0 match before. */
export interface Invited {
  readonly came: Came;
  readonly mailed: Mailed;
}

/**
 * The roles to which a buyer would be invited.
 * @throws {ConfigError} NOTHING_TO_INVITE_TO
 */
export async function rolesToInviteTo(buyer: string,
  { ledger, policy, now, commandLine }: Operating): Promise<readonly string[]> {
  const roles = dueRoles(await ledger.load(buyer), await policy(), now());
  if (roles.length > 0) return roles;
  throw new ConfigError("NOTHING_TO_INVITE_TO",
    `${buyer} has no role, so there is nothing to invite them to: ${commandLine(`explain ${buyer}`)} says why`);
}

/**
 * Has Auth0 mail what gets a buyer in: the invitation, or where nobody verified the address, the mail for that. First
 * Auth0 is made to match, so that there is a user to invite; who is made anew by that is invited by it. Throws as
 * `synced`.
 */
export async function invited(buyer: string, signature: Signature, waiting: Waiting,
  operating: Operating): Promise<Invited> {
  const { ledger, queue } = operating;
  const before = await ledger.load(buyer);
  const [came] = await synced({ buyers: [buyer], invite: false }, waiting, operating);
  if (came === undefined) throw new ConfigError("BUYER_UNKNOWN", `nobody is known as ${buyer}`);
  const byItself = came.record.invited;
  if (byItself !== null && byItself.asked === null && byItself.at > (before.invited?.at ?? 0)) {
    return { came, mailed: await mailedFor(came, null, waiting, operating) };
  }
  const requestId = randomUUID();
  await queue.send({ v: 1, kind: "invite", requestId, buyer, ...signature }, `invite ${requestId}`);
  return { came, mailed: await mailedFor(came, requestId, waiting, operating) };
}

async function mailedFor({ buyer, record: { version } }: Came, requestId: string | null, { withinMs }: Waiting,
  { ledger, stage, wait }: Operating): Promise<Mailed> {
  if (withinMs === null) return { state: "queued" };
  const history = dynamoHistory(stage.dynamo, stage.ledger);
  for (const began = performance.now();;) {
    const record = await ledger.load(buyer);
    const isOver = performance.now() - began >= withinMs;
    const mailed = mailedIn(record, requestId);
    if (mailed !== null && (mailed.state !== "waits" || isOver)) return mailed;
    if (record.unsettled?.code === "EMAIL_UNVERIFIED" && record.version > version && record.mailed.length > 0 &&
      (await history.of(buyer)).some(({ id }) => id === `invite ${requestId ?? ""}`)) {
      return { state: "asked to verify" };
    }
    if (isOver) return { state: "not seen" };
    await wait(stage.emulators === null ? POLL_MS : LOCAL_POLL_MS);
  }
}

function mailedIn({ invited: noted }: BuyerRecord, requestId: string | null): Mailed | null {
  if (noted === null || (noted.asked?.requestId ?? null) !== requestId) return null;
  switch (noted.outcome) {
    case "sent":
      return { state: "invited" };
    case "failed":
      return { state: "failed", message: noted.message ?? "Auth0 didn't say why" };
    case "wanted":
    case "sending":
      return { state: "waits", message: noted.message ?? "Auth0 hasn't said yet whether it went out" };
  }
}
