import * as z from "zod/mini";

import { isBaseUrl } from "../config/base-url.ts";

/** The value of the secret `gumroad-auth0/{stage}/gumroad`. */
export const gumroadSecretShape = z.pipe(z.object({
  /** With the scope `view_sales`. What can't stand in a header would come back in an error that quotes it. */
  access_token: z.string().check(z.regex(/^[\x21-\x7e]+$/)),
  /** What `GET /user` must answer with this token, and what every ping must name. */
  seller_id: z.string().check(z.minLength(1)),
  /** For something that stands in front of Gumroad, or in its place. Plain http is for this machine only. */
  api: z._default(z.string().check(z.refine(isBaseUrl, "is no https URL or loopback http URL")),
    "https://api.gumroad.com/v2"),
}),
  z.transform(({ access_token: token, seller_id: sellerId, api }) => ({ token, sellerId,
    api: api.replace(/\/+$/, "") })
  ));

/** How to read one seller's shop back. */
export type GumroadCredentials = Readonly<z.output<typeof gumroadSecretShape>>;
