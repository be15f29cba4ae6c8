import type { Command } from "commander";

import type { Context } from "../context.ts";

/** One command as the list of all shows it. The rest is loaded when it is asked for, which keeps every start short. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandFile>;
}

/** A file of this folder: gives its command arguments, flags and an action. */
interface CommandFile {
  register(command: Command, context: Context): void;
}

/** All commands under the headings of the help, in its order: first what most people need. */
export const CATALOGUE: readonly (readonly [heading: string, commands: readonly CommandEntry[]])[] = [
  ["Mostly needed:", [
    { name: "setup", summary: "fills the secrets, creates roles, registers the pings",
      load: () => import("./setup.ts") },
    { name: "doctor", summary: "finds what silently goes wrong, and says how to mend it",
      load: () => import("./doctor.ts") },
    { name: "status", summary: "what came in, what is done, what waits", load: () => import("./status.ts") },
    { name: "explain", summary: "why somebody has, or has not, each role", load: () => import("./explain.ts") },
    { name: "grant", summary: "gives somebody a role for nothing", load: () => import("./grant.ts") },
  ]],
  ["For a buyer:", [
    { name: "buyers", summary: "lists buyers: who has a role, who waits, who lost one",
      load: () => import("./buyers.ts") },
    { name: "revoke", summary: "takes back a role given for nothing, or what a purchase gives",
      load: () => import("./revoke.ts") },
    { name: "transfer", summary: "moves a purchase to another email", load: () => import("./transfer.ts") },
    { name: "claims", summary: "who showed a licence key of somebody else's purchase",
      load: () => import("./claims.ts") },
    { name: "accounts", summary: "a one-time code for a forgotten password", load: () => import("./accounts.ts") },
    { name: "invite", summary: "mails somebody the invitation again", load: () => import("./invite.ts") },
    { name: "sync", summary: "makes Auth0 match a buyer's record now, or all that wait or differ",
      load: () => import("./sync.ts") },
    { name: "forget", summary: "erases a person", load: () => import("./forget.ts") },
  ]],
  ["For a stage:", [
    { name: "plan", summary: "who would gain or lose what by the edited policy", load: () => import("./plan.ts") },
    { name: "products", summary: "prints the policy file from what the shop sells",
      load: () => import("./products.ts") },
    { name: "smoke", summary: "a throwaway buyer gets a role and loses it again, timed",
      load: () => import("./smoke.ts") },
    { name: "backfill", summary: "brings every past buyer in", load: () => import("./backfill.ts") },
    { name: "reconcile", summary: "looks now for what no ping told", load: () => import("./reconcile.ts") },
    { name: "replay", summary: "posts pings again: files, the dead-letter queue, a time",
      load: () => import("./replay.ts") },
    { name: "discard", summary: "deletes a dead letter that can never be used", load: () => import("./discard.ts") },
    { name: "release", summary: "lets held removals go", load: () => import("./release.ts") },
    { name: "keep", summary: "lets buyers keep what is held", load: () => import("./keep.ts") },
  ]],
];
