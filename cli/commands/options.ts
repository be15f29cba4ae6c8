import type { Command } from "commander";

import type { OperatorApplication } from "../stage/operator.ts";

/** Said of `--dry-run`, the same on each command that changes something. */
export const DRY_RUN = "say what it would do, and change nothing";

/** The flags of {@link actOptions}, as commander gives them. */
export interface ActFlags {
  readonly by?: string;
  readonly why?: string;
  readonly within: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly dryRun?: true;
}

/** Adds the flags that every act has. */
export function actOptions(command: Command): Command {
  return waitOptions(command
    .option("--why <text>", "why: kept with it, and shown by explain; asked for at a terminal")
    .option("--by <name>", "who does this; your name on this machine, if left out"));
}

/** Adds the flags of what is waited for. */
export function waitOptions(command: Command): Command {
  return command
    .option("--within <seconds>", "how long to wait until it is done", "60")
    .option("--no-wait", "only put it into the queue; whether Auth0 matches then isn't looked at")
    .option("--dry-run", DRY_RUN);
}

/** The flags of {@link operatorOptions}, as commander gives them. */
export interface OperatorFlags {
  readonly adminClientId?: string;
  readonly adminClientSecret?: string;
}

/**
 * Adds the flags for an application of the operator's own. The service's may only do what provisioning needs; settings
 * of the tenant are seen and changed with this one, which is stored nowhere.
 */
export function operatorOptions(command: Command): Command {
  return command
    .option("--admin-client-id <id>",
      "an Auth0 application of your own that may change the tenant's settings (or AUTH0_ADMIN_CLIENT_ID); used, " +
        "not stored")
    .option("--admin-client-secret <secret>", "its secret (or AUTH0_ADMIN_CLIENT_SECRET)");
}

/** The application that the flags or the environment name. */
export function operatorOf({ adminClientId, adminClientSecret }: OperatorFlags,
  env: NodeJS.ProcessEnv): OperatorApplication {
  return { clientId: adminClientId ?? env["AUTH0_ADMIN_CLIENT_ID"] ?? "",
    clientSecret: adminClientSecret ?? env["AUTH0_ADMIN_CLIENT_SECRET"] ?? "" };
}

/** Examples for a command's help, one a line: what to type, and what it is for. */
export function examples(...lines: readonly (readonly [command: string, does: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${
    lines.map(([command, does]) => `  gumroad-auth0 ${command.padEnd(width)}  ${does}`).join("\n")
  }`;
}
