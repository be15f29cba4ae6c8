import { createHash } from "node:crypto";

import { ADMIN_CLIENT, type Auth0EmulatorOptions } from "./options.ts";
import { Refusal } from "./refusal.ts";
import { OPERATOR_SCOPES, SERVICE_SCOPES } from "./scopes.ts";
import type { Client } from "./client.ts";

/** The applications of the emulated tenant: the service's own, and an operator's for setting the tenant up. */
export class Applications {
  readonly service: Client;
  readonly admin: Client;
  /** Connections that the service's application may not use, by name. */
  readonly #disabled = new Set<string>();

  constructor(options: Auth0EmulatorOptions) {
    this.service = { id: options.clientId ?? "local-client", secret: options.clientSecret ?? "local-secret",
      scopes: options.scopes ?? SERVICE_SCOPES };
    this.admin = { ...ADMIN_CLIENT, scopes: options.adminScopes ?? OPERATOR_SCOPES };
  }

  /** The application with these credentials, if there is one. */
  withCredentials(id: string | undefined, secret: string | undefined): Client | undefined {
    return this.#all().find((client) => client.id === id && client.secret === secret);
  }

  /** The grants on the Management API of one application, or of all. */
  grants(clientId: string | undefined): { readonly id: string; readonly client: Client }[] {
    return this.#all()
      .filter(({ id }) => clientId === undefined || id === clientId)
      .map((client) => ({ id: `cgr_${shortHash(client.id)}`, client }));
  }

  /** The grant of that id. Throws 404. */
  grant(id: string): { readonly id: string; readonly client: Client } {
    const found = this.grants(undefined).find((grant) => grant.id === id);
    if (found === undefined) throw new Refusal(404, "The grant does not exist.", "inexistent_client_grant");
    return found;
  }

  /** Lets the service's application use a connection, or keeps it from that. Throws 404 for another application. */
  enable(connection: string, clientId: string, enabled: boolean): void {
    if (clientId !== this.service.id) throw new Refusal(404, "The client does not exist", "inexistent_client");
    if (enabled) this.#disabled.delete(connection);
    else this.#disabled.add(connection);
  }

  /** The applications that may use a connection, by id. */
  enabledFor(connection: string): string[] {
    return this.#disabled.has(connection) ? [] : [this.service.id];
  }

  /**
   * Throws what Auth0 says to an unknown application that wants a mail sent, and to one that may not use the
   * connection.
   */
  requireMayMail(clientId: string, connection: string): void {
    if (!this.#all().some(({ id }) => id === clientId)) {
      throw new Refusal(400, `Unknown client: ${clientId}`, "invalid_client");
    }
    if (!this.enabledFor(connection).includes(clientId)) {
      throw new Refusal(400, `The connection ${connection} is not enabled for the client.`, "connection_disabled");
    }
  }

  /** Throws what Auth0 says to an application that creates a user in a connection which isn't enabled for it. */
  requireEnabled(connection: string): void {
    if (!this.#disabled.has(connection)) return;
    const which = `(client_id: ${this.service.id} - connection: ${connection})`;
    throw new Refusal(400,
      `Connection must be enabled for this client to perform single user creation and signup operations ${which}`,
      "invalid_body");
  }

  #all(): Client[] {
    return [this.service, this.admin];
  }
}

/** A connection's id. */
export function connectionId(name: string): string {
  return `con_${shortHash(name)}`;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("base64").replaceAll(/[^A-Za-z0-9]/gu, "").slice(0, 16);
}
