/**
 * RFC 5321: 64 for the local part, 255 for the domain, 254 for the whole path; Gumroad accepts no longer ones either.
 */
const LONGEST = 254;
const SHAPE = /^[^\s@<>(),;:\\"]+@[^\s@<>(),;:\\"]+\.[^\s@<>(),;:\\".]+$/;

/**
 * The one way an email is written here: trimmed, lower case. Null if it is none. A plus part belongs to it: people use
 * them as addresses of their own.
 */
export function normalizedEmail(text: string): string | null {
  const email = text.trim().toLowerCase();
  return email.length <= LONGEST && SHAPE.test(email) ? email : null;
}
