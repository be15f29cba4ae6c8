import { auth0Directory, type Directory } from "../../src/auth0/directory.ts";
import { type Auth0Credentials, auth0SecretShape } from "../../src/auth0/secret.ts";
import { NeedsPersonError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { readStored } from "./secrets.ts";

/**
 * The service's own application at Auth0, from the stage's secret.
 * @throws {NeedsPersonError} AUTH0_SECRET if the secret isn't complete
 */
export async function serviceCredentials(
  { stage, commandLine }: Pick<Context, "stage" | "commandLine">,
): Promise<Auth0Credentials> {
  const stored = await readStored(await stage(), "auth0");
  if (stored.state === "good") return auth0SecretShape.parse(stored.value);
  throw new NeedsPersonError("AUTH0_SECRET", `the secret auth0 isn't complete: ${commandLine("setup")}`);
}

/** The tenant's users and roles, seen with the service's own rights. Throws as `serviceCredentials`. */
export async function serviceDirectory(context: Pick<Context, "stage" | "commandLine">): Promise<Directory> {
  const credentials = await serviceCredentials(context);
  const value = async (): Promise<Auth0Credentials> => credentials;
  return auth0Directory({ secret: { get: value, reread: value } });
}
