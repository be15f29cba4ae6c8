import type { Context } from "../context.ts";
import type { OperatorFlags } from "../commands/options.ts";
import type { SecretValue } from "./values.ts";
import type { Stage } from "../stage/stage.ts";
import type { SecretName, StoredSecret } from "../stage/secrets.ts";
import type { Steps } from "../terminal/steps.ts";

/** For one call. */
export const LIMIT_MS = 60_000;

/** The flags of `setup`, as commander gives them. */
export interface SetupFlags extends OperatorFlags {
  readonly auth0Domain?: string;
  readonly auth0ClientId?: string;
  readonly auth0ClientSecret?: string;
  readonly auth0Connection?: string;
  readonly auth0Audience?: string;
  readonly auth0LoginClientId?: string;
  readonly gumroadToken?: string;
  readonly gumroadApi?: string;
  /** False with --no-gumroad. */
  readonly gumroad: boolean;
  readonly sellerId?: string;
  readonly selfBuiltLogin?: true;
  readonly newPingToken?: true;
  readonly forgetOldPingTokens?: true;
  readonly dryRun?: true;
}

/** A service's settings as they are to be, checked against the service. */
export interface Checked<Client> {
  readonly value: SecretValue;
  readonly client: Client;
}

/** All of one setup. */
export interface Work {
  readonly flags: SetupFlags;
  readonly context: Context;
  readonly stage: Stage;
  readonly steps: Steps;
  readonly stored: Readonly<Record<SecretName, StoredSecret>>;
}
