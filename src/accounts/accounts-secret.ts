/** The secret `gumroad-auth0/{stage}/accounts`: the keys that sign tokens, and the peppers of password hashes. */
import * as z from "zod/mini";

const base64url = z.string().check(z.regex(/^[A-Za-z0-9_-]+$/));
const id = z.string().check(z.minLength(1), z.maxLength(64));

/** 32 bytes in base64url: what both halves of an Ed25519 key are. */
const ed25519Half = base64url.check(z.length(43));

/** An Ed25519 key as a JWK (RFC 8037). Without `d`, as a retired key may be, it can check tokens and sign none. */
const signingKey = z.object({ kid: id, kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: ed25519Half,
  d: z.optional(ed25519Half) });

/** At least 16 random bytes. Its id is stored with every hash that used it; the PHC format allows 8 bytes for it. */
const pepper = z.object({ id: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,8}$/)),
  key: base64url.check(z.minLength(22)) });

const distinct = <T>(idOf: (entry: T) => string) =>
  z.refine<readonly T[]>((entries) => new Set(entries.map(idOf)).size === entries.length, "an id is used twice");

/**
 * `sign_with` names the key that new tokens carry, `pepper_with` the pepper that new hashes use. The other entries are
 * there for tokens and hashes made before, which is how both change without logging or locking anybody out.
 */
export const accountsSecretShape = z
  .object({ keys: z.array(signingKey).check(z.minLength(1), distinct((key: { readonly kid: string }) => key.kid)),
    sign_with: id, peppers: z.optional(z.array(pepper).check(distinct((entry: { readonly id: string }) => entry.id))),
    pepper_with: z.optional(z.string()) })
  .check(
    z.refine(({ keys, sign_with }) => keys.some((key) => key.kid === sign_with && key.d !== undefined), {
      path: ["sign_with"],
      message: "names no key that can sign",
    }),
    z.refine(
      ({ peppers = [], pepper_with }) =>
        pepper_with === undefined || peppers.some((entry) => entry.id === pepper_with),
      { path: ["pepper_with"], message: "names no pepper" },
    ),
  );

/** The accounts secret as the functions read it. */
export type AccountsSecret = z.output<typeof accountsSecretShape>;
