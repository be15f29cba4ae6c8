import type { Answer } from "emulator-server/refused-call";
import type { CheckedRequest } from "./contract.ts";

/** One call of the Management API that the emulator offers. */
export interface ManagementOperation {
  /** Scopes that a token must all have. Auth0's description lists them one by one; it takes all of them. */
  readonly scopes: readonly string[];
  /** Throws a {@link Refusal} for what Auth0 refuses. */
  run(request: CheckedRequest): Answer;
}
