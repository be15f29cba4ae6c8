import { ConfigError, NeedsPersonError, TemporaryError } from "../../src/errors.ts";
import type { KnownSettings } from "../operations/setup.ts";
import type { SecretValue } from "./values.ts";

/** How often somebody may mistype. */
const ATTEMPTS = 3;

/** How one service's settings are found; `check` asks the service. */
export interface Search<Checked> extends KnownSettings {
  readonly ask: (known: SecretValue) => Promise<SecretValue>;
  readonly check: (value: SecretValue) => Promise<Checked>;
  readonly complete: (value: SecretValue) => boolean;
  /** What to give, where nobody can be asked. */
  readonly missing: string;
  readonly questions: boolean;
  readonly say: (text: string) => void;
}

/**
 * Asks until the service takes what it is given; where nobody can be asked, what is known must do.
 * @throws {ConfigError} SETUP_INCOMPLETE
 */
export async function settled<Checked>(
  { known, fallback, ask, check, complete, missing, questions, say }: Search<Checked>,
): Promise<{ readonly value: SecretValue; readonly checked: Checked }> {
  let value = known;
  for (let attempt = 1;; attempt += 1) {
    if (!complete(value)) value = await ask(value);
    if (!complete(value)) throw new ConfigError("SETUP_INCOMPLETE", missing);
    try {
      return { value, checked: await check(value) };
    } catch (error) {
      // Not to be reached, too: a domain can be mistyped.
      if (!(error instanceof NeedsPersonError || error instanceof TemporaryError)) throw error;
      if (attempt === 1 && fallback !== null) {
        value = fallback;
        continue;
      }
      if (!questions || attempt >= ATTEMPTS) throw error;
      say(error.message);
      value = await ask(value);
    }
  }
}
