import type { Latency, OnCall } from "emulator-server/request-handler";
import type { Auth0Call } from "./calls.ts";
import type { LoginSettings } from "./login/application.ts";
import type { Limits } from "./rate-limit.ts";
import type { Connection, Metadata } from "./user.ts";

/** Auth0's name for the database that every new tenant has. */
export const DEFAULT_CONNECTION = "Username-Password-Authentication";

/** Auth0's name for the connection that mails a code. */
export const PASSWORDLESS_CONNECTION = "email";

/** The operator's application of every emulated tenant: it may change settings, and nothing that the service may. */
export const ADMIN_CLIENT = { id: "local-admin", secret: "local-admin-secret" };

/** Settings of an emulator. */
export interface Auth0EmulatorOptions {
  /** Port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number;
  /** Where people look, told to a browser that opens `/`. Default: `/` is a 404, as at the service. */
  readonly frontPage?: () => string;
  /** Default `local-client`. */
  readonly clientId?: string;
  /** Default `local-secret`. */
  readonly clientSecret?: string;
  /** Management scopes of the client. Default those of a service that gives roles, see scopes.ts. */
  readonly scopes?: readonly string[];
  /** Management scopes of the operator's application, {@link ADMIN_CLIENT}. Default: see scopes.ts. */
  readonly adminScopes?: readonly string[];
  /** Default: the database {@link DEFAULT_CONNECTION}, and {@link PASSWORDLESS_CONNECTION}. */
  readonly connections?: readonly Connection[];
  /** Names of the roles that exist from the start. Default none. */
  readonly roles?: readonly string[];
  /**
   * Applications, APIs and Actions with which people log in; a function is asked once, at the first page. Left out,
   * nobody does: `/authorize` is a 404.
   */
  readonly login?: LoginSettings | (() => Promise<LoginSettings>);
  /**
   * Offers what tools that import a tenant call, too: APIs, applications, Actions, mail templates. Default no, as the
   * longer description takes longer to load.
   */
  readonly deployment?: boolean;
  /**
   * Whether the tenant's template for change-password mails words one as a welcome to this user. Default: no.
   */
  readonly welcomes?: (appMetadata: Metadata) => boolean;
  /** Default `none`. */
  readonly limits?: Limits;
  /** Default 0. */
  readonly latency?: Latency<Auth0Call>;
  /** What it throws is an entry in `failures`, too. */
  readonly onCall?: OnCall<Auth0Call>;
  /** The time in milliseconds, for token lives, rate limits and dates. Default the machine's. */
  readonly now?: () => number;
  /** How latency is waited for. Default a timer. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}
