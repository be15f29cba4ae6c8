import * as z from "zod";

import { type Applications, shortHash } from "./applications.ts";
import type { ManagementOperation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import { paged, PageQuery } from "./requests.ts";
import type { Tenant } from "./tenant.ts";

// Checked against Auth0's description first (contract.ts).
const Named = z.looseObject({ name: z.string() });
const Server = z.looseObject({ identifier: z.string() });
const Settings = z.record(z.string(), z.unknown());
const GrantBody = z.object({ client_id: z.string(), audience: z.string(), scope: z.array(z.string()).default([]) });
const RoleBody = z.object({ name: z.string().optional(), description: z.string().optional() });
const ActionBody = z.object({ secrets: z.array(z.object({ name: z.string() })).optional() });
const Template = z.looseObject({ template: z.string() });
const BindingsBody = z.object({
  bindings: z.array(
    z.object({ display_name: z.string().optional(), ref: z.object({ type: z.string(), value: z.string() }) }),
  ).default([]),
});

type Kept = Readonly<Record<string, unknown>>;

/**
 * What a tenant is set up with beside connections, roles and grants, kept as it was sent: APIs, applications, Actions
 * with their triggers, mail templates. It is for tools that import a tenant; nothing here acts by it.
 */
export function deployedSettings(tenant: () => Tenant,
  applications: () => Applications): Readonly<Record<string, ManagementOperation>> {
  const servers = new Map<string, Kept>();
  const actions = new Map<string, Kept>();
  const bindings = new Map<string, readonly Kept[]>();
  const templates = new Map<string, Kept>();

  return { ...list("resource-servers", "resource_servers", () => [...servers.values()]),
    "post_resource-servers": { scopes: ["create:resource_servers"], run({ body }) {
      const sent = Server.parse(body);
      if ([...servers.values()].some(({ identifier }) => identifier === sent.identifier)) {
        throw new Refusal(409, "The API identifier is taken.", "resource_server_conflict");
      }
      return { status: 201, body: put(servers, { id: shortHash(sent.identifier), is_system: false, ...sent }) };
    } },
    "patch_resource-servers_by_id": { scopes: ["update:resource_servers"],
      run: ({ id, body }) => ({ status: 200, body: changed(servers, id, body) }) },
    ...list("clients", "clients", () => applications().shown()),
    post_clients: { scopes: ["create:clients"],
      run: ({ body }) => ({ status: 201, body: applications().make(Named.parse(body)) }) },
    patch_clients_by_id: { scopes: ["update:clients"],
      run: ({ id, body }) => ({ status: 200, body: applications().change(id, Settings.parse(body)) }) },
    "post_client-grants": { scopes: ["create:client_grants"], run({ body }) {
      const { client_id: clientId, audience, scope } = GrantBody.parse(body);
      const { id } = applications().allow(clientId, audience, scope);
      return { status: 201, body: { id, client_id: clientId, audience, scope, subject_type: "client" } };
    } },
    patch_roles_by_id: { scopes: ["update:roles"],
      run: ({ id, body }) => ({ status: 200, body: tenant().roles.change(id, RoleBody.parse(body)) }) },
    get_actions: { scopes: ["read:actions"], run({ query }) {
      const { page, per_page: perPage } = PageQuery.parse(query);
      const shown = [...actions.values()].slice(page * perPage, (page + 1) * perPage);
      return { status: 200, body: { actions: shown, total: actions.size, page, per_page: perPage } };
    } }, get_action: { scopes: ["read:actions"], run: ({ id }) => ({ status: 200, body: found(actions, id) }) },
    post_action: { scopes: ["create:actions"], run({ body }) {
      const { name } = Named.parse(body);
      return { status: 201, body: put(actions, actionOf({ id: shortHash(name), status: "built" }, body)) };
    } },
    patch_action: { scopes: ["update:actions"],
      run: ({ id, body }) => ({ status: 200, body: put(actions, actionOf(found(actions, id), body)) }) },
    post_deploy_action: { scopes: ["create:actions"],
      run: ({ id }) => ({ status: 202,
        body: put(actions, { ...found(actions, id), all_changes_deployed: true,
          deployed_version: { deployed: true } }) }) },
    ...list("role_permission", "permissions", () => [], "read:roles"),
    get_triggers: { scopes: ["read:actions"],
      run: () => ({ status: 200, body: { triggers: [{ id: "post-login", version: "v3", status: "CURRENT" }] } }) },
    get_action_modules: { scopes: ["read:actions"], run: () => ({ status: 200, body: { modules: [], total: 0 } }) },
    get_bindings: { scopes: ["read:actions"],
      run: ({ id }) => ({ status: 200,
        body: { bindings: bindings.get(id) ?? [], total: bindings.get(id)?.length ?? 0 } }) },
    patch_bindings: { scopes: ["update:actions"], run({ id, body }) {
      const bound = BindingsBody.parse(body).bindings.map(({ ref, display_name: shown }) => {
        const action = [...actions.values()].find((each) =>
          each[ref.type === "action_id" ? "id" : "name"] === ref.value
        );
        if (action?.["all_changes_deployed"] !== true) {
          throw new Refusal(400, `The Action ${ref.value} does not exist or is not deployed.`, "invalid_body");
        }
        return { id: shortHash(`${id} ${ref.value}`), trigger_id: id, display_name: shown ?? ref.value, action };
      });
      bindings.set(id, bound);
      return { status: 200, body: { bindings: bound } };
    } },
    "get_email-templates_by_templateName": { scopes: ["read:email_templates"],
      run: ({ id }) => ({ status: 200, body: found(templates, id) }) },
    "post_email-templates": { scopes: ["create:email_templates"], run({ body }) {
      const sent = Template.parse(body);
      templates.set(sent.template, sent);
      return { status: 200, body: sent };
    } },
    "patch_email-templates_by_templateName": { scopes: ["update:email_templates"],
      run: ({ id, body }) => ({ status: 200, body: changed(templates, id, body) }) } };
}

/** An operation that lists all of a kind, in pages. */
function list(kind: string, field: string, all: () => readonly Kept[],
  scope = `read:${field}`): Readonly<Record<string, ManagementOperation>> {
  return { [`get_${kind}`]: { scopes: [scope], run({ query }) {
    return { status: 200, body: paged(field, all(), PageQuery.parse(query)) };
  } } };
}

/** An Action's secrets are never shown, only what they are called; what is changed isn't deployed yet. */
function actionOf(before: Kept, body: unknown): Kept {
  const { secrets } = ActionBody.parse(body);
  return { ...before, ...Settings.parse(body), all_changes_deployed: false,
    ...(secrets === undefined ? {} : { secrets: secrets.map(({ name }) => ({ name })) }) };
}

function put(all: Map<string, Kept>, one: Kept): Kept {
  all.set(String(one["id"]), one);
  return one;
}

function found(all: ReadonlyMap<string, Kept>, id: string): Kept {
  const one = all.get(id);
  if (one === undefined) throw new Refusal(404, `There is no ${id}.`, "inexistent_resource");
  return one;
}

function changed(all: Map<string, Kept>, id: string, body: unknown): Kept {
  const one = { ...found(all, id), ...Settings.parse(body) };
  all.set(id, one);
  return one;
}
