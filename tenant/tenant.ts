import type { Management } from "auth0";

import type { Policy } from "../src/access/policy.ts";
import { roleNames } from "./role-names.ts";
import { MANAGEMENT_SCOPES } from "./scopes.ts";

/** What is a seller's own about a tenant. Written in `settings.ts`. */
export interface TenantSettings {
  /** The database connection in which buyers are created: the secret `auth0` names the same. */
  readonly connection: string;
  /** The API that the course platform's access tokens are for: `--param auth0Audience` of the service, too. */
  readonly api: { readonly name: string; readonly identifier: string };
  /** The course platform, a single-page application. */
  readonly app: {
    readonly name: string;
    /** Where a buyer goes once the password is chosen. */
    readonly url: string;
    readonly callbacks: readonly string[];
    readonly logoutUrls: readonly string[];
    /** Pages that may ask for tokens in silence. */
    readonly origins: readonly string[];
  };
  /**
   * The claim of the access token that holds the roles: a URL of a domain of yours. `--param rolesClaim` of the
   * service, too.
   */
  readonly rolesClaim: string;
  /** The service's `bind`, the output `BindUrl` of its stack; null: the Action doesn't ask it. */
  readonly bindUrl: string | null;
  /** Every other application of the tenant that uses the connection: what isn't named here loses it. */
  readonly otherApps: readonly string[];
  /** The post-login Actions that run before ours, in their order: what isn't named here runs no more. */
  readonly otherLoginActions: readonly string[];
  /** Auth0 lets nobody word its mails who has no email provider of their own. */
  readonly ownEmailProvider: boolean;
}

/**
 * An API, application and so on as Auth0's Management API takes it. The tool passes unknown keys on in silence; the
 * type finds them.
 */
export interface TenantAssets {
  readonly resourceServers: readonly Management.CreateResourceServerRequestContent[];
  readonly clients: readonly Management.CreateClientRequestContent[];
  /** `client_id` is the application's name: the tool looks the id up. */
  readonly clientGrants: readonly Management.CreateClientGrantRequestContent[];
  /** `enabled_clients` are names, too. */
  readonly databases: readonly Management.CreateConnectionRequestContent[];
  readonly roles: readonly Management.CreateRoleRequestContent[];
  /** `code` is a file beside this one; `deployed` is the tool's own. */
  readonly actions:
    readonly (Omit<Management.CreateActionRequestContent, "deploy"> & { readonly deployed: boolean })[];
  readonly triggers: {
    readonly "post-login": readonly { readonly action_name: string; readonly display_name: string }[];
  };
  /** `body` is a file beside this one. */
  readonly emailTemplates?: readonly Management.CreateEmailTemplateRequestContent[];
}

/** The application that the service is for Auth0: its id and secret go into the secret `auth0`. */
export const PROVISIONING_CLIENT = "gumroad-auth0 provisioning";
/** The post-login Action's name. */
export const LOGIN_ACTION = "gumroad-auth0 roles";
/** Where the compiled Action and the mail stand, beside the tool's own file. */
export const FILES = { action: "./actions/post-login.js", passwordMail: "./emailTemplates/reset_email.html" } as const;
/** The environment variables that the tool puts in at import, so that no file of ours holds them. */
export const MARKERS = { domain: "##AUTH0_DOMAIN##", bindToken: "##GUMROAD_AUTH0_BIND_TOKEN##" } as const;

const HOUR_S = 60 * 60;
const DAY_S = 24 * HOUR_S;

/** Everything that is set in a tenant: of these settings, and with the roles that the policy gives. */
export function tenantAssets(
  { connection, api, app, rolesClaim, bindUrl, otherApps, otherLoginActions, ownEmailProvider }: TenantSettings,
  policy: Policy,
): TenantAssets {
  return {
    resourceServers: [
      {
        name: api.name,
        identifier: api.identifier,
        signing_alg: "RS256",
        // A role that is taken away stays in tokens for this long.
        token_lifetime: HOUR_S,
        allow_offline_access: true,
        skip_consent_for_verifiable_first_party_clients: true,
        // A user gets no scope that nobody granted. The roles themselves come from the Action, so no permissions are
        // added.
        enforce_policies: true,
        token_dialect: "access_token",
      },
    ],
    clients: [
      { name: PROVISIONING_CLIENT, description: "Turns Gumroad purchases into roles. Its grant is kept by this file.",
        app_type: "non_interactive", is_first_party: true, oidc_conformant: true, grant_types: ["client_credentials"],
        token_endpoint_auth_method: "client_secret_post" },
      {
        name: app.name,
        app_type: "spa",
        is_first_party: true,
        oidc_conformant: true,
        grant_types: ["authorization_code", "refresh_token"],
        // A page keeps no secret: the code is bound to it by PKCE.
        token_endpoint_auth_method: "none",
        jwt_configuration: { alg: "RS256" },
        callbacks: [...app.callbacks],
        allowed_logout_urls: [...app.logoutUrls],
        web_origins: [...app.origins],
        refresh_token: { rotation_type: "rotating", expiration_type: "expiring", leeway: 10,
          token_lifetime: 30 * DAY_S, idle_token_lifetime: 15 * DAY_S, infinite_token_lifetime: false,
          infinite_idle_token_lifetime: false },
      },
    ],
    clientGrants: [{ client_id: PROVISIONING_CLIENT, audience: `https://${MARKERS.domain}/api/v2/`,
      scope: [...MANAGEMENT_SCOPES] }],
    // Auth0 creates users only in a connection that is switched on for the application that asks. The tool replaces
    // the list, but adds to the connection's other options: the password policy stays the tenant's.
    databases: [{ name: connection, strategy: "auth0",
      enabled_clients: [PROVISIONING_CLIENT, app.name, ...otherApps] }],
    roles: roleNames(policy).map((name) => ({ name, description: "Given by purchases on Gumroad." })),
    actions: [
      { name: LOGIN_ACTION, code: FILES.action, runtime: "node22", deployed: true, dependencies: [], secrets: [
        { name: "ROLES_CLAIM", value: rolesClaim },
        ...(bindUrl === null
          ? []
          : [{ name: "BIND_URL", value: bindUrl }, { name: "BIND_TOKEN", value: MARKERS.bindToken }]),
      ], supported_triggers: [{ id: "post-login", version: "v3" }] },
    ],
    // The tool replaces the whole list.
    triggers: {
      "post-login": [...otherLoginActions, LOGIN_ACTION].map((name) => ({ action_name: name, display_name: name })),
    },
    ...(ownEmailProvider ? { emailTemplates: [passwordMail(app.url)] } : {}),
  };
}

/** The mail with which a buyer chooses a password: a welcome for those who never logged in. */
function passwordMail(appUrl: string): Management.CreateEmailTemplateRequestContent {
  return { template: "reset_email", enabled: true, syntax: "liquid",
    subject:
      `{% if ${NEVER_CAME} %}Your purchase is ready: choose a password{% else %}Choose a new password{% endif %}`,
    body: FILES.passwordMail, resultUrl: appUrl, includeEmailInRedirect: false, urlLifetimeInSeconds: 7 * DAY_S };
}

/**
 * True for users that the service created and that never logged in, as far as a mail can know: it sees `app_metadata`,
 * in which the service marks whom it creates and the Action who was here, and no count of logins.
 */
const NEVER_CAME = "user.app_metadata.gumroad_auth0.created_for and user.app_metadata.gumroad_auth0_bound == nil";
