import * as z from "zod/mini";

/** Checks the JSON of the secret `gumroad-auth0/{stage}/bind`: `{"tokens": ["…"]}`. */
export const bindSecretShape = z.object({
  /** What the post-login Action may bring as Bearer. All are accepted, so that one can be changed without a gap. */
  tokens: z.array(z.string().check(z.minLength(1))).check(z.minLength(1)),
});

/** The value of the secret. */
export type BindSecret = Readonly<z.infer<typeof bindSecretShape>>;
