/** RFC 5321 allows no more for the whole path; nor does Gumroad. */
const LONGEST = 254;
/** What can't be seen has no place in an address, but hides in one that looks like another's. */
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}]/u;
const SHAPE = /^[^\s@<>(),;:\\"]+@[^\s@<>(),;:\\"]+\.[^\s@<>(),;:\\".]+$/;

/** The one way an email is written: trimmed, lower case, with the plus part, which people use. Null if it is none. */
export function normalizedEmail(text: string): string | null {
  const email = text.trim().toLowerCase();
  return email.length <= LONGEST && SHAPE.test(email) && !UNSEEN.test(email) ? email : null;
}
