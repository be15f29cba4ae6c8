/**
 * The Serverless Handbook's way: everything inside the ping, with the `auth0` SDK as it comes. No queue, no retry but
 * the SDK's, a client for each step, so a token for each.
 */
import { ManagementClient } from "auth0";
import qs from "qs";
import * as z from "zod";

/** Which tenant, and how it is reached. */
export interface HandbookTenant {
  /** A bare host name, as the SDK asks for. */
  readonly domain: string;
  readonly audience: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The role that the one product gives. */
  readonly roleId: string;
  readonly fetch: typeof fetch;
}

const pingShape = z.looseObject({ email: z.string() });

/** Takes one ping: its buyer has the role when this resolves. Throws what the SDK throws. */
export async function handbookPing(body: string, { roleId, ...options }: HandbookTenant): Promise<void> {
  const { email } = pingShape.parse(qs.parse(body));
  const user = await userOf(email, new ManagementClient(options));
  await new ManagementClient(options).users.roles.assign(user, { roles: [roleId] });
}

async function userOf(email: string, { users }: ManagementClient): Promise<string> {
  const [known] = await users.listUsersByEmail({ email });
  if (known?.user_id !== undefined) return known.user_id;
  const { user_id: id } = await users.create({ connection: "Username-Password-Authentication", email,
    password: `${crypto.randomUUID()}-A1!`, email_verified: false });
  if (id === undefined) throw new Error("Auth0 made a user without an id");
  return id;
}
