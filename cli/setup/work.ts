import type { Steps } from "../operations/steps.ts";
import type { OperatorApplication } from "../stage/operator.ts";
import type { SecretName, StoredSecret } from "../stage/secrets.ts";
import type { Stage } from "../stage/stage.ts";

/** For one call. */
export const LIMIT_MS = 60_000;

/** What each part of a setup works with. */
export interface Work {
  readonly stage: Stage;
  readonly steps: Steps;
  readonly stored: Readonly<Record<SecretName, StoredSecret>>;
  readonly operator: OperatorApplication;
}
