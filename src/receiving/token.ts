import type { APIGatewayProxyEventV2 } from "aws-lambda";
import * as z from "zod/mini";

/** The secret `gumroad-auth0/{stage}/ping`. */
export const pingSecretShape = z.pipe(z.object({
  /** All of them are accepted, so that a token can be changed without losing a ping. */
  tokens: z.array(z.string().check(z.minLength(1))).check(z.minLength(1)),
  /** The shop's. No secret, but it belongs to the same setting. */
  seller_id: z.string().check(z.minLength(1)),
}), z.transform(({ tokens, seller_id }) => ({ tokens, sellerId: seller_id })));

/** Its value. */
export type PingSecret = Readonly<z.output<typeof pingSecretShape>>;

/** The token that a request brings: in the path, or as Basic auth, as which Gumroad sends a URL's `user:token@`. */
export function tokenOf(event: APIGatewayProxyEventV2): string | undefined {
  // Somebody who copies the URL may leave a slash at its end. Looked for from the first one: thousands cost no more.
  return event.pathParameters?.["token"]?.replace(/(?<!\/)\/+$/, "") ?? basicToken(event.headers["authorization"]);
}

/** The password, or the user name where somebody wrote `https://token@…`. */
function basicToken(header: string | undefined): string | undefined {
  const encoded = /^basic +([\w+/=-]+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const token = password.join(":");
  return token === "" ? user : token;
}
