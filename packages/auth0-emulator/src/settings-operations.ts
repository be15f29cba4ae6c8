import * as z from "zod";

import { type Applications, connectionId } from "./applications.ts";
import type { ManagementOperation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import type { Tenant } from "./tenant.ts";
import type { Client } from "./client.ts";
import type { Connection } from "./user.ts";

// Checked against Auth0's description first (contract.ts).
const ConnectionsQuery = z.object({ name: z.string().optional(), strategy: z.string().optional(),
  fields: z.string().optional(), include_fields: z.boolean().default(true), take: z.number().optional() });
const GrantsQuery = z.object({ client_id: z.string().optional(), audience: z.string().optional(),
  take: z.number().optional() });
const GrantBody = z.object({ scope: z.array(z.string()).optional() });
const ConnectionBody = z.record(z.string(), z.unknown());
const EnabledClientsBody = z.array(z.object({ client_id: z.string(), status: z.boolean() }));

/** The operations on connections and grants, by operation id. `baseUrl` leads the Management API's identifier. */
export function settingsOperations(tenant: () => Tenant, applications: () => Applications,
  baseUrl: () => string): Readonly<Record<string, ManagementOperation>> {
  const audience = (): string => `${baseUrl()}/api/v2/`;
  const grantAnswer = ({ id, client }: { readonly id: string; readonly client: Client }) => ({ id,
    client_id: client.id, audience: applications().audienceOf(client.id) ?? audience(), scope: [...client.scopes],
    subject_type: "client" });
  /** What was set of a connection, by its name. */
  const set = new Map<string, Readonly<Record<string, unknown>>>();
  const connectionAnswer = (connection: Connection) => ({ id: connectionId(connection.name), ...connection,
    options: {}, realms: [connection.name], is_domain_connection: false, ...set.get(connection.name) });
  const connectionOf = (id: string): Connection => {
    const found = tenant().users.connections().find(({ name }) => connectionId(name) === id);
    if (found === undefined) throw new Refusal(404, "The connection does not exist", "inexistent_connection");
    return found;
  };
  return { get_connections: { scopes: ["read:connections"], run({ query }) {
    const { name, strategy, fields, include_fields: include, take } = ConnectionsQuery.parse(query);
    const named = new Set(fields?.split(","));
    const shown = tenant()
      .users.connections()
      .filter((connection) =>
        (name === undefined || connection.name === name) &&
        (strategy === undefined || connection.strategy === strategy)
      )
      .map(connectionAnswer)
      .map((
        connection,
      ) => (fields === undefined
        ? connection
        : Object.fromEntries(Object.entries(connection).filter(([field]) => named.has(field) === include)))
      );
    return { status: 200, body: take === undefined ? shown : { connections: shown.slice(0, take) } };
  } },
    get_connections_by_id: { scopes: ["read:connections"],
      run: ({ id }) => ({ status: 200, body: connectionAnswer(connectionOf(id)) }) },
    patch_connections_by_id: { scopes: ["update:connections"], run({ id, body }) {
      const connection = connectionOf(id);
      set.set(connection.name, { ...set.get(connection.name), ...ConnectionBody.parse(body) });
      return { status: 200, body: connectionAnswer(connection) };
    } },
    get_connection_clients: { scopes: ["read:connections"],
      run: ({ id }) => ({ status: 200,
        body: { clients: applications().enabledFor(connectionOf(id).name).map((client_id) => ({ client_id })) } }) },
    patch_clients: { scopes: ["update:connections"], run({ id, body }) {
      const { name } = connectionOf(id);
      for (const { client_id: clientId, status } of EnabledClientsBody.parse(body)) {
        applications().enable(name, clientId, status);
      }
      return { status: 204 };
    } }, "get_client-grants": { scopes: ["read:client_grants"], run({ query }) {
      const { client_id: clientId, audience: asked, take } = GrantsQuery.parse(query);
      const grants = asked === undefined || isManagementApi(asked)
        ? applications().grants(clientId).map(grantAnswer)
        : [];
      return { status: 200, body: take === undefined ? grants : { client_grants: grants.slice(0, take) } };
    } }, "patch_client-grants_by_id": { scopes: ["update:client_grants"], run({ id, body }) {
      const grant = applications().grant(id);
      const { scope } = GrantBody.parse(body);
      if (scope !== undefined) grant.client.scopes = scope;
      return { status: 200, body: grantAnswer(grant) };
    } } };
}

/** By its path, as at the token endpoint: a proxy may stand before the emulator. */
function isManagementApi(audience: string): boolean {
  return URL.canParse(audience) && new URL(audience).pathname.endsWith("/api/v2/");
}
