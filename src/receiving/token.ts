import type { APIGatewayProxyEventV2 } from "aws-lambda";
import * as z from "zod/mini";

/** The value of the secret `gumroad-auth0/{stage}/ping`. */
export interface PingSecret {
  /** All of them are accepted, so that a token can be changed without losing a ping. */
  readonly tokens: readonly string[];
  /** The shop's `seller_id`. No secret, but it belongs to the same setting. */
  readonly sellerId: string;
}

/** Checks the secret's JSON: `{"tokens": ["…"], "seller_id": "…"}`. */
export const pingSecretShape: z.ZodMiniType<PingSecret> = z.pipe(
  z.object({ tokens: z.array(z.string().check(z.minLength(1))).check(z.minLength(1)),
    seller_id: z.string().check(z.minLength(1)) }),
  z.transform(({ tokens, seller_id }) => ({ tokens, sellerId: seller_id })),
);

/**
 * The token that a request brings: in the path, or as Basic auth, which is how Gumroad sends a URL's `user:token@`.
 */
export function tokenOf(event: APIGatewayProxyEventV2): string | undefined {
  return event.pathParameters?.["token"] ?? basicToken(event.headers["authorization"]);
}

/** The password, or the user name where somebody wrote `https://token@…`. */
function basicToken(header: string | undefined): string | undefined {
  const encoded = /^basic +([\w+/=-]+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const token = password.join(":");
  return token === "" ? user : token;
}
