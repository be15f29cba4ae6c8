/** RFC 5321 allows no more for the whole path; nor does Gumroad. */
const LONGEST = 254;
/** No address has what can't be seen, or a sign (K, Å, Ω, ϴ) that lower case makes a letter of another's. */
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}\u03F4\u2126\u212A\u212B]/u;
const SHAPE = /^[^\s@<>(),;:\\"]+@[^\s@<>(),;:\\"]+\.[^\s@<>(),;:\\".]+$/;

/** The one way an email is written: trimmed, lower case, with the plus part, which people use. Null if it is none. */
export function normalizedEmail(text: string): string | null {
  const email = text.trim().toLowerCase();
  return email.length <= LONGEST && SHAPE.test(email) && !UNSEEN.test(text.trim()) ? email : null;
}
