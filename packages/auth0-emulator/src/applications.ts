import { createHash } from "node:crypto";

import { ADMIN_CLIENT, type Auth0EmulatorOptions } from "./options.ts";
import { Refusal } from "./refusal.ts";
import { OPERATOR_SCOPES, SERVICE_SCOPES } from "./scopes.ts";
import type { Client } from "./client.ts";

/** The applications of the emulated tenant: the service's own, and an operator's for setting the tenant up. */
export class Applications {
  readonly service: Client;
  readonly admin: Client;
  /** Made by the Management API, with their settings. */
  readonly #made = new Map<string, MadeClient>();
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
      .filter(({ id }) => (clientId === undefined || id === clientId) && this.#made.get(id)?.audience !== null)
      .map((client) => ({ id: `cgr_${shortHash(client.id)}`, client }));
  }

  /** The grant of that id. Throws 404. */
  grant(id: string): { readonly id: string; readonly client: Client } {
    const found = this.grants(undefined).find((grant) => grant.id === id);
    if (found === undefined) throw new Refusal(404, "The grant does not exist.", "inexistent_client_grant");
    return found;
  }

  /** The API that an application has its grant for, where another than the emulator's own name of it was sent. */
  audienceOf(clientId: string): string | undefined {
    return this.#made.get(clientId)?.audience ?? undefined;
  }

  /** Adds an application. */
  make(settings: { readonly name: string } & Settings): Settings {
    const id = shortHash(`client ${settings.name} ${String(this.#made.size)}`);
    const secret = `secret-of-${id}`;
    const client = { id, secret, scopes: [], settings, audience: null, connections: new Set<string>() };
    this.#made.set(id, client);
    return shownOf(client);
  }

  /** Changes an application's settings. Throws 404. */
  change(id: string, settings: Settings): Settings {
    const client = this.#madeClient(id);
    client.settings = { ...client.settings, ...settings };
    return shownOf(client);
  }

  /** Grants scopes of an API. Throws 404 for an unknown application, 409 where it has a grant. */
  allow(clientId: string, audience: string, scopes: readonly string[]): { readonly id: string } {
    const client = this.#madeClient(clientId);
    if (client.audience !== null) throw new Refusal(409, "The grant exists.", "client_grant_conflict");
    client.audience = audience;
    client.scopes = scopes;
    return { id: `cgr_${shortHash(clientId)}` };
  }

  /** All applications, as the Management API shows them. */
  shown(): Settings[] {
    return [...[this.service, this.admin].map(({ id }) => ({ client_id: id, name: id })),
      ...[...this.#made.values()].map(shownOf)];
  }

  /** Lets an application use a connection, or keeps it from that. Throws 404 for an unknown one and the operator's. */
  enable(connection: string, clientId: string, enabled: boolean): void {
    const made = this.#made.get(clientId);
    if (made !== undefined) {
      if (enabled) made.connections.add(connection);
      else made.connections.delete(connection);
      return;
    }
    if (clientId !== this.service.id) throw new Refusal(404, "The client does not exist", "inexistent_client");
    if (enabled) this.#disabled.delete(connection);
    else this.#disabled.add(connection);
  }

  /** The applications that may use a connection, by id. */
  enabledFor(connection: string): string[] {
    return [...(this.#disabled.has(connection) ? [] : [this.service.id]),
      ...[...this.#made.values()].filter(({ connections }) => connections.has(connection)).map(({ id }) => id)];
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

  #madeClient(id: string): MadeClient {
    const client = this.#made.get(id);
    if (client === undefined) throw new Refusal(404, "The client does not exist", "inexistent_client");
    return client;
  }

  #all(): Client[] {
    return [this.service, this.admin, ...this.#made.values()];
  }
}

type Settings = Readonly<Record<string, unknown>>;

/** An application that the Management API made. It has one grant, if any. */
interface MadeClient extends Client {
  settings: Settings;
  audience: string | null;
  /** Those it may use, by name. */
  readonly connections: Set<string>;
}

function shownOf({ id, secret, settings }: MadeClient): Settings {
  return { client_id: id, ...(settings["token_endpoint_auth_method"] === "none" ? {} : { client_secret: secret }),
    ...settings };
}

/** A connection's id. */
export function connectionId(name: string): string {
  return `con_${shortHash(name)}`;
}

/** An id for what has this name: always the same. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("base64").replaceAll(/[^A-Za-z0-9]/gu, "").slice(0, 16);
}
