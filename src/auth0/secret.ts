import * as z from "zod/mini";

import { isBaseUrl } from "../config/base-url.ts";

const text = z.string().check(z.minLength(1));

/** The value of the secret `gumroad-auth0/{stage}/auth0`. */
export const auth0SecretShape = z.pipe(z.object({
  /** A host, or a full URL where something stands in front of the tenant. Plain http is for this machine only. */
  domain: z.string().check(
    z.refine((domain) => isBaseUrl(urlOf(domain)), "is no host name, https URL or loopback http URL"),
  ),
  client_id: text,
  client_secret: text,
  /** The database connection in which buyers are created: by default the one that a new tenant has. */
  connection: z._default(text, "Username-Password-Authentication"),
  /** The passwordless one, where nobody has a password. "email": Auth0's only name for one that mails a code. */
  passwordless_connection: z._default(text, "email"),
  /** The application that invitations name, and lead to: where buyers log in. Left out, the service's own. */
  login_client_id: z.optional(text),
  /** Needed only with a custom domain: the Management API's own identifier, `https://TENANT.auth0.com/api/v2/`. */
  audience: z.optional(text),
}), z.transform((secret) => {
  /** `https://acme.eu.auth0.com`, without a slash at the end. */
  const url = urlOf(secret.domain);
  return { url, audience: secret.audience ?? `${url}/api/v2/`, clientId: secret.client_id,
    clientSecret: secret.client_secret, connection: secret.connection,
    passwordlessConnection: secret.passwordless_connection,
    loginClientId: secret.login_client_id ?? secret.client_id };
}));

/** How to reach a tenant as our machine-to-machine application. */
export type Auth0Credentials = Readonly<z.output<typeof auth0SecretShape>>;

function urlOf(domain: string): string {
  return (/^https?:\/\//.test(domain) ? domain : `https://${domain}`).replace(/\/+$/, "");
}
