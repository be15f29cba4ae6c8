import * as z from "zod/mini";

/** The value of the secret `gumroad-auth0/{stage}/bind`. */
export interface BindSecret {
  /**
   * What the post-login Action may bring as Bearer. All of them are accepted, so that one can be changed without a
   * gap.
   */
  readonly tokens: readonly string[];
}

/** Checks the secret's JSON: `{"tokens": ["…"]}`. */
export const bindSecretShape: z.ZodMiniType<BindSecret> = z.object({
  tokens: z.array(z.string().check(z.minLength(1))).check(z.minLength(1)),
});
