/** Tokens as an attacker, or a careless issuer, would make them: any header, any claims, any signature. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export const signedWith = (header: Record<string, unknown>, claims: unknown,
  signer: (input: Buffer) => Buffer): string => {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${signer(Buffer.from(input)).toString("base64url")}`;
};

export const ed25519 = (key: KeyObject) => (input: Buffer) => sign(null, input, key);
export const rs256 = (key: KeyObject) => (input: Buffer) => sign("sha256", input, key);
export const hs256 = (secret: string | Buffer) => (input: Buffer) =>
  createHmac("sha256", secret).update(input).digest();
export const unsigned = () => Buffer.alloc(0);

export const newEd25519 = () => generateKeyPairSync("ed25519");
export const newRsa = () => generateKeyPairSync("rsa", { modulusLength: 2_048 });
