import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A password as the emulator keeps it: a salt and a hash. No real person's is here, so a fast hash will do. */
export type StoredPassword = string;

/** What to keep of a password. */
export function storePassword(password: string): StoredPassword {
  const salt = randomBytes(12).toString("hex");
  return `${salt}:${hashOf(salt, password)}`;
}

/** Whether a password is the one that was kept. Nobody's password is nothing. */
export function isPassword(stored: StoredPassword | undefined, password: string): boolean {
  const [salt = "", hash = ""] = stored?.split(":") ?? [];
  const given = hashOf(salt, password);
  return hash.length === given.length && timingSafeEqual(Buffer.from(hash), Buffer.from(given));
}

function hashOf(salt: string, password: string): string {
  return createHash("sha256").update(`${salt}:${password}`).digest("hex");
}
