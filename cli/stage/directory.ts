import { auth0Directory, type Directory } from "../../src/auth0/directory.ts";
import { type Auth0Credentials, auth0SecretShape } from "../../src/auth0/secret.ts";
import { NeedsPersonError } from "../../src/errors.ts";
import { readStored } from "./secrets.ts";
import type { Stage } from "./stage.ts";

/** A stage, and how a command for it would be typed. */
export interface StageAt {
  readonly stage: Stage;
  readonly commandLine: (command: string) => string;
}

/**
 * The service's own application at Auth0, from the stage's secret.
 * @throws {NeedsPersonError} AUTH0_SECRET if the secret isn't complete
 */
export async function serviceCredentials({ stage, commandLine }: StageAt): Promise<Auth0Credentials> {
  const stored = await readStored(stage, "auth0");
  if (stored.state === "good") return auth0SecretShape.parse(stored.value);
  throw new NeedsPersonError("AUTH0_SECRET", `the secret auth0 isn't complete: ${commandLine("setup")}`);
}

/** The tenant's users and roles, seen with the service's own rights. Throws as `serviceCredentials`. */
export async function serviceDirectory(at: StageAt): Promise<Directory> {
  const credentials = await serviceCredentials(at);
  const value = async (): Promise<Auth0Credentials> => credentials;
  return auth0Directory({ secret: { get: value, reread: value } });
}
