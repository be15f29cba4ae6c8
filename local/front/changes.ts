import * as z from "zod";

import { buyerTag } from "../../src/log.ts";

/** What one thing that happened changed at Auth0, in words. */
export interface Change {
  readonly at: string;
  readonly event: string;
  readonly email: string;
  readonly changed: string;
}

/** What provision logs of a message, and of a buyer's turn once Auth0 matches. */
const mergedShape = z.object({
  message: z.enum(["merged", "known already", "an operator's act", "a licence key was shown"]),
  timestamp: z.string(),
  requestId: z.string(),
  buyer: z.string(),
  event: z.string().optional(),
  state: z.string().optional(),
  decision: z.string().optional(),
});
const settledShape = z.object({ message: z.literal("settled"), buyer: z.string(), requestIds: z.array(z.string()),
  roles: z.array(z.string()), added: z.array(z.string()), removed: z.array(z.string()) });

/** What each message changed, newest first, by provision's log lines; of these buyers, as a log names nobody. */
export function changesIn(lines: readonly string[], emails: readonly string[]): readonly Change[] {
  const names = new Map(emails.map((email) => [buyerTag(email), email]));
  const entries = lines.map(parsed);
  const settled = entries.flatMap((entry) => settledShape.safeParse(entry).data ?? []);
  return entries.flatMap((entry) => mergedShape.safeParse(entry).data ?? []).map((merged): Change => {
    const turn = settled.find(({ buyer, requestIds }) =>
      buyer === merged.buyer && requestIds.includes(merged.requestId)
    );
    const { timestamp, message, event = message, state = "", decision = "" } = merged;
    return { at: timestamp.slice(0, 19).replace("T", " "), event: [event, state, decision].filter(Boolean).join(", "),
      email: names.get(merged.buyer) ?? "somebody",
      changed: message === "known already"
        ? "nothing: it was known already"
        : turn === undefined
        ? "waits, or nothing is left to do"
        : words(turn) };
  }).reverse();
}

function words({ roles, added, removed }: z.infer<typeof settledShape>): string {
  const changes = [added.length > 0 ? `gets ${added.join(", ")}` : "",
    removed.length > 0 ? `loses ${removed.join(", ")}` : ""].filter(Boolean);
  return changes.length > 0 ? changes.join(", ") : `keeps ${roles.join(", ") || "none"}`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
