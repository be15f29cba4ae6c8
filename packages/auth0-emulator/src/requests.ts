import * as z from "zod";

// The shapes are checked against Auth0's description first (contract.ts); these only give the parts their types.

const Metadata = z.record(z.string(), z.unknown());

const identifiers = { username: z.string().nullish(), phone_number: z.string().nullish(),
  phone_verified: z.boolean().optional(), verify_phone_number: z.boolean().optional() };

/** Body of `POST /users`. */
export const CreateUserBody = z.object({ ...identifiers, connection: z.string(), email: z.string().optional(),
  email_verified: z.boolean().optional(), verify_email: z.boolean().optional(), password: z.string().optional(),
  user_id: z.string().optional(), blocked: z.boolean().optional(), name: z.string().optional(),
  nickname: z.string().optional(), picture: z.string().optional(), given_name: z.string().optional(),
  family_name: z.string().optional(), app_metadata: Metadata.optional(), user_metadata: Metadata.optional() });

/** A checked body of `POST /users`. */
export type CreateUser = z.infer<typeof CreateUserBody>;

/** Body of `PATCH /users/{id}`; strict, because Auth0 refuses other fields here though its description allows them. */
export const UpdateUserBody = z.strictObject({ ...identifiers, connection: z.string().optional(),
  client_id: z.string().optional(), email: z.string().nullish(), email_verified: z.boolean().optional(),
  verify_email: z.boolean().optional(), password: z.string().nullish(), blocked: z.boolean().optional(),
  name: z.string().nullish(), nickname: z.string().nullish(), picture: z.string().nullish(),
  given_name: z.string().nullish(), family_name: z.string().nullish(), app_metadata: Metadata.optional(),
  user_metadata: Metadata.optional() });

/** A checked body of `PATCH /users/{id}`. */
export type UpdateUser = z.infer<typeof UpdateUserBody>;

/** Body of assigning and removing roles: role ids, never names. */
export const RoleIdsBody = z.object({ roles: z.array(z.string()) });

/** Body of `POST /roles`. */
export const CreateRoleBody = z.object({ name: z.string(), description: z.string().optional() });

/** Body of `POST /tickets/password-change`. */
export const PasswordTicketBody = z.object({ user_id: z.string().optional(), email: z.string().optional(),
  connection_id: z.string().optional(), client_id: z.string().optional(), result_url: z.string().optional(),
  ttl_sec: z.number().optional(), mark_email_as_verified: z.boolean().optional() });

/** A checked body of `POST /tickets/password-change`. */
export type PasswordTicket = z.infer<typeof PasswordTicketBody>;

/**
 * Body of `POST /dbconnections/change_password`, of the Authentication API, which no description of Auth0's covers.
 */
export const PasswordMailBody = z.object({ client_id: z.string().min(1), email: z.string().min(1),
  connection: z.string().min(1), organization: z.string().optional() });

/** A checked body of `POST /dbconnections/change_password`. */
export type PasswordMailRequest = z.infer<typeof PasswordMailBody>;

/** Body of `POST /jobs/verification-email`. */
export const VerificationMailBody = z.object({ user_id: z.string() });

/** Query of a call that lists in pages. 50 a page is Auth0's default. */
export const PageQuery = z.object({ page: z.number().default(0), per_page: z.number().default(50),
  include_totals: z.boolean().default(false) });

/** One page of a list: bare, or with totals when the caller asked for them. */
export function paged<Item>(name: string, items: readonly Item[],
  { page, per_page: limit, include_totals: totals }: z.infer<typeof PageQuery>,
  more: (shown: readonly Item[]) => Readonly<Record<string, number>> = () => ({})): unknown {
  const start = page * limit;
  const shown = items.slice(start, start + limit);
  return totals ? { start, limit, total: items.length, ...more(shown), [name]: shown } : shown;
}

/** Query of a call that shows users: which of their root fields. */
export const FieldsQuery = z.object({ fields: z.string().optional(), include_fields: z.boolean().default(true) });

/** Which root fields are wanted, or unwanted. */
export type Fields = z.infer<typeof FieldsQuery>;

/** Query of `GET /users-by-email`. */
export const EmailQuery = z.object({ ...FieldsQuery.shape, email: z.string() });

/** Query of `GET /users`. */
export const ListUsersQuery = z.object({ ...PageQuery.shape, ...FieldsQuery.shape, connection: z.string().optional(),
  q: z.string().optional() });

/** Query of `GET /roles`. */
export const ListRolesQuery = z.object({ ...PageQuery.shape, name_filter: z.string().optional() });
