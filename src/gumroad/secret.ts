import * as z from "zod/mini";

const DEFAULT_API = "https://api.gumroad.com/v2";

/** The value of the secret `gumroad-auth0/{stage}/gumroad`. */
export const gumroadSecretShape = z.pipe(z.object({
  /** With the scope `view_sales`. What can't stand in a header would come back in an error that quotes it. */
  access_token: z.string().check(z.regex(/^[\x21-\x7e]+$/)),
  /** What `GET /user` must answer with this token, and what every ping must name. */
  seller_id: z.string().check(z.minLength(1)),
  /** For something that stands in front of Gumroad, or in its place. Plain http is for this machine only. */
  api: z.optional(z.string().check(z.refine(isApiUrl, "is no https URL or loopback http URL"))),
}),
  z.transform(({ access_token, seller_id, api }) => ({ token: access_token, sellerId: seller_id,
    api: (api ?? DEFAULT_API).replace(/\/+$/, "") })
  ));

/** How to read one seller's shop back. */
export type GumroadCredentials = Readonly<z.output<typeof gumroadSecretShape>>;

function isApiUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(text);
  const loopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return (protocol === "https:" || (protocol === "http:" && loopback)) && search + hash + username + password === "";
}
