import { createHash, timingSafeEqual } from "node:crypto";

/** Whether the token is one of those. Compares hashes, and all of them, so that the time it takes tells nothing. */
function isAccepted(token: string, accepted: readonly string[]): boolean {
  return accepted.filter((one) => timingSafeEqual(hash(token), hash(one))).length > 0;
}

/**
 * The secret that accepts the token, or null. On a mismatch it may just have been rotated, so it is read again, at
 * most every ten seconds, before anybody is refused. Throws what reading the secret throws.
 */
export async function acceptingSecret<Value extends { readonly tokens: readonly string[] }>(token: string | undefined,
  secret: TokenSecret<Value>, signal: AbortSignal): Promise<Value | null> {
  if (token === undefined) return null;
  const known = await secret.get(signal);
  if (known === null || isAccepted(token, known.tokens)) return known;
  const reread = await secret.reread(signal);
  return isAccepted(token, reread.tokens) ? reread : null;
}

/** Where accepted tokens are kept. Null: it has no value, so nobody may call. */
export interface TokenSecret<Value> {
  get(signal: AbortSignal): Promise<Value | null>;
  reread(signal: AbortSignal): Promise<Value>;
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
