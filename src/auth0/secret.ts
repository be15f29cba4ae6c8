import * as z from "zod/mini";

/** The connection that a new Auth0 tenant has. */
const DEFAULT_CONNECTION = "Username-Password-Authentication";
/** Auth0's only name for a connection that mails a code. */
const DEFAULT_PASSWORDLESS = "email";

/** The value of the secret `gumroad-auth0/{stage}/auth0`. */
export const auth0SecretShape = z.pipe(z.object({
  /** A host, or a full URL where something stands in front of the tenant. Plain http is for this machine only. */
  domain: z.string().check(
    z.refine((domain) => tenantUrl(domain) !== null, "is no host name, https URL or loopback http URL"),
  ),
  client_id: z.string().check(z.minLength(1)),
  client_secret: z.string().check(z.minLength(1)),
  /** The database connection in which buyers are created. */
  connection: z.optional(z.string().check(z.minLength(1))),
  /** The passwordless connection in which they are created where nobody has a password. */
  passwordless_connection: z.optional(z.string().check(z.minLength(1))),
  /** The application that invitations name, and lead to: where buyers log in. Left out, the service's own. */
  login_client_id: z.optional(z.string().check(z.minLength(1))),
  /** Needed only with a custom domain: the Management API's own identifier, `https://TENANT.auth0.com/api/v2/`. */
  audience: z.optional(z.string().check(z.minLength(1))),
}), z.transform((secret) => {
  const url = tenantUrl(secret.domain) ?? "";
  return {
    /** `https://acme.eu.auth0.com`, without a slash at the end. */
    url,
    audience: secret.audience ?? `${url}/api/v2/`,
    clientId: secret.client_id,
    clientSecret: secret.client_secret,
    connection: secret.connection ?? DEFAULT_CONNECTION,
    passwordlessConnection: secret.passwordless_connection ?? DEFAULT_PASSWORDLESS,
    loginClientId: secret.login_client_id ?? secret.client_id,
  };
}));

/** How to reach a tenant as our machine-to-machine application. */
export type Auth0Credentials = Readonly<z.output<typeof auth0SecretShape>>;

function tenantUrl(domain: string): string | null {
  const full = /^https?:\/\//.test(domain) ? domain : `https://${domain}`;
  if (!URL.canParse(full)) return null;
  const url = new URL(full);
  const loopback = url.hostname === "localhost" || url.hostname === "[::1]" || url.hostname.startsWith("127.");
  if ((url.protocol === "http:" && !loopback) || url.search !== "" || url.hash !== "" || url.username !== "") {
    return null;
  }
  return full.replace(/\/+$/, "");
}
