import { ConfigError } from "../../src/errors.ts";
import { normalizedEmail } from "../../src/gumroad/email.ts";

/**
 * The buyer that somebody typed, by normalized email.
 * @throws {ConfigError} EMAIL_INVALID
 */
export function buyerEmail(typed: string): string {
  const email = normalizedEmail(typed);
  if (email === null) throw new ConfigError("EMAIL_INVALID", `"${typed}" is no email`);
  return email;
}
