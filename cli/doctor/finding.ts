import type { Policy } from "../../src/access/policy.ts";
import { NeedsPersonError } from "../../src/errors.ts";
import type { OperatorApplication } from "../stage/operator.ts";
import type { Operating } from "../operations/operating.ts";

/** Something that is wrong, or will be. */
export interface Finding {
  /** Stable, in capitals. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** The command that mends it. */
  readonly mend: string;
}

/** One thing that is looked at, on its own: what goes wrong in one hides nothing of the others. */
export interface Check {
  readonly name: string;
  /** Throws {@link NotChecked}, or whatever kept it from looking. */
  readonly run: () => Promise<readonly Finding[]>;
}

/** A check can't look, because of what another one finds, or for want of rights. */
export class NotChecked extends Error {}

/** What is checked, and with what. */
export interface Patient {
  readonly policy: Policy;
  readonly operating: Operating;
  /** Compares all buyers with Auth0, instead of some. */
  readonly deep: boolean;
  readonly operator: OperatorApplication;
}

const LIMIT_MS = 60_000;
/** The time limit of one call. */
export const limit = (): AbortSignal => AbortSignal.timeout(LIMIT_MS);

/** A refusal of these codes is a finding; anything else goes on. */
export async function refusalAs(call: () => Promise<unknown>, codes: Readonly<Record<string, string>>,
  mend: string): Promise<readonly Finding[]> {
  try {
    await call();
    return [];
  } catch (error) {
    const code = error instanceof NeedsPersonError ? codes[error.code] : undefined;
    if (code === undefined || !(error instanceof Error)) throw error;
    return [{ code, message: error.message, mend }];
  }
}
