import { randomBytes } from "node:crypto";

import type * as z from "zod";

import type { Answer } from "emulator-server/refused-call";
import type { Applications } from "./applications.ts";
import { deployedSettings } from "./deployed-settings.ts";
import { isUserId } from "./formats.ts";
import type { ManagementOperation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import { CreateRoleBody, CreateUserBody, EmailQuery, FieldsQuery, ListRolesQuery, ListUsersQuery, paged, PageQuery,
  PasswordTicketBody, RoleIdsBody, UpdateUserBody, VerificationMailBody } from "./requests.ts";
import type { Fields } from "./requests.ts";
import { settingsOperations } from "./settings-operations.ts";
import type { Tenant } from "./tenant.ts";
import { userAnswer } from "./user.ts";

const NO_CONTENT: Answer = { status: 204 };
const ACCEPTED: Answer = { status: 202 };

/**
 * What each operation of the description does to the tenant, by operation id. `baseUrl` leads the links in answers.
 */
export function managementOperations(tenant: () => Tenant, applications: () => Applications,
  baseUrl: () => string): Readonly<Record<string, ManagementOperation>> {
  return { ...settingsOperations(tenant, applications, baseUrl), ...deployedSettings(tenant, applications),
    "get_users-by-email": { scopes: ["read:users"], run({ query }) {
      const { email, ...fields } = parse(EmailQuery, query);
      const found = tenant().users.byEmail(email);
      return { status: 200, body: found.map((user) => chosenFields(userAnswer(user), fields)) };
    } }, get_users: { scopes: ["read:users"], run({ query }) {
      const { q, connection, ...rest } = parse(ListUsersQuery, query);
      if (q !== undefined) {
        const message = "The emulator does not search (q): Auth0's search lags behind, so nothing may rest on it.";
        throw new Refusal(400, message, "invalid_query_string");
      }
      const users = tenant().users.all().filter((user) =>
        connection === undefined || user.connection.name === connection
      );
      const shown = users.map((user) => chosenFields(userAnswer(user), rest));
      return { status: 200, body: paged("users", shown, rest, (page) => ({ length: page.length })) };
    } }, post_users: { scopes: ["create:users"], run({ body }) {
      const request = parse(CreateUserBody, body);
      applications().requireEnabled(request.connection);
      return { status: 201, body: userAnswer(tenant().createUser(request)) };
    } }, get_users_by_id: { scopes: ["read:users"], run({ id, query }) {
      return { status: 200,
        body: chosenFields(userAnswer(tenant().users.byId(userId(id))), parse(FieldsQuery, query)) };
    } }, patch_users_by_id: { scopes: ["update:users"], run({ id, body }) {
      return { status: 200, body: userAnswer(tenant().updateUser(userId(id), updateOf(body))) };
    } }, delete_users_by_id: { scopes: ["delete:users"], run({ id }) {
      tenant().deleteUser(userId(id));
      return NO_CONTENT;
    } }, get_user_roles: { scopes: ["read:users", "read:roles", "read:role_members"], run({ id, query }) {
      const { users, roles } = tenant();
      return { status: 200, body: paged("roles", roles.of(users.byId(userId(id)).id), parse(PageQuery, query)) };
    } }, post_user_roles: { scopes: ["update:users", "create:role_members"], run({ id, body }) {
      const { users, roles } = tenant();
      roles.assign(users.byId(userId(id)).id, parse(RoleIdsBody, body).roles);
      return NO_CONTENT;
    } }, delete_user_roles: { scopes: ["update:users", "delete:role_members"], run({ id, body }) {
      const { users, roles } = tenant();
      roles.remove(users.byId(userId(id)).id, parse(RoleIdsBody, body).roles);
      return NO_CONTENT;
    } }, delete_user_sessions: { scopes: ["delete:sessions"], run({ id }) {
      tenant().users.endLogins(userId(id), "Session");
      return ACCEPTED;
    } }, "delete_user_refresh-tokens": { scopes: ["delete:refresh_tokens"], run({ id }) {
      tenant().users.endLogins(userId(id), "RefreshToken");
      return ACCEPTED;
    } }, get_roles: { scopes: ["read:roles"], run({ query }) {
      const { name_filter: part, ...page } = parse(ListRolesQuery, query);
      const roles = tenant().roles.all();
      const wanted = part === undefined
        ? roles
        : roles.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()));
      return { status: 200, body: paged("roles", wanted, page) };
    } }, post_roles: { scopes: ["create:roles"], run({ body }) {
      const { name, description } = parse(CreateRoleBody, body);
      return { status: 200, body: tenant().roles.create(name, description) };
    } }, "post_password-change": { scopes: ["create:user_tickets"], run({ body }) {
      const { url } = tenant().createPasswordTicket(parse(PasswordTicketBody, body), baseUrl());
      return { status: 201, body: { ticket: url } };
    } }, "post_verification-email": { scopes: ["update:users"], run({ body }) {
      const mail = tenant().mailVerification(mailedUser(tenant(), parse(VerificationMailBody, body).user_id), "job");
      const job = { type: "verification_email", status: "pending", id: `job_${randomBytes(8).toString("hex")}` };
      return { status: 201, body: { ...job, created_at: new Date(mail.at).toISOString() } };
    } } };
}

/** The one unknown user that is a 400: the description of this operation has no 404. */
function mailedUser(tenant: Tenant, id: string): ReturnType<Tenant["users"]["byId"]> {
  try {
    return tenant.users.byId(id);
  } catch (error) {
    throw new Refusal(400, "The user does not exist.", "inexistent_user", { cause: error });
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  return schema.parse(value);
}

/** Auth0 refuses fields it doesn't know here too, though its description says that more may come. */
function updateOf(body: unknown): z.output<typeof UpdateUserBody> {
  const parsed = UpdateUserBody.safeParse(body);
  if (parsed.success) return parsed.data;
  const unknown = parsed.error.issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
  throw new Refusal(400, `Payload validation error: 'Additional properties not allowed: ${unknown.join(",")}'.`,
    "invalid_body");
}

function userId(id: string): string {
  if (isUserId(id)) return id;
  const problem = `Object didn't pass validation for format user-id: ${id}`;
  throw new Refusal(400, `Path validation error: '${problem}' on property id.`, "invalid_uri");
}

function chosenFields(user: Readonly<Record<string, unknown>>,
  { fields, include_fields: include }: Fields): Record<string, unknown> {
  if (fields === undefined) return { ...user };
  const named = new Set(fields.split(","));
  return Object.fromEntries(Object.entries(user).filter(([field]) => named.has(field) === include));
}
