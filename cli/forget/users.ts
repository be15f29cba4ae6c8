import { UsersClient } from "auth0/users";

import type { Directory } from "../../src/auth0/directory.ts";
import { failureOf, statusOf } from "../../src/auth0/call.ts";
import { pacedFetch } from "../../src/auth0/pacing.ts";
import type { Auth0Credentials } from "../../src/auth0/secret.ts";
import type { TenantAdmin } from "../admin/tenant-admin.ts";
import { managementToken } from "../../src/auth0/token.ts";
import type { BoundUser } from "../../src/ledger/record.ts";
import type { UserToForget } from "../operations/forget.ts";
import { NEEDS_ADMIN } from "../stage/needs-admin.ts";
import type { Steps } from "../operations/steps.ts";

/** What forgetting users at Auth0 works with. */
export interface UserForgetting {
  readonly directory: Directory;
  /** The buyer's users as the record has them, by id. */
  readonly bound: readonly (readonly [string, BoundUser])[];
  readonly credentials: Auth0Credentials;
  /** An application that may delete users, or null. */
  readonly admin: TenantAdmin | null;
  readonly steps: Steps;
  /** Delete users, too: those that we made, or with `others` all. */
  readonly deletes: { readonly ours: boolean; readonly others: boolean };
}

const CALL_MS = 30_000;
/** What this service and its post-login Action keep in a user's `app_metadata`. */
const OUR_METADATA = { gumroad_auth0: null, gumroad_auth0_bound: null };

/**
 * Takes the roles that we gave and our marks from each user, or deletes the user. Users that are gone already do no
 * harm.
 */
export async function forgetUsers(users: readonly UserToForget[], work: UserForgetting): Promise<void> {
  const { directory, steps, deletes } = work;
  const mayDelete = deletes.ours && work.admin !== null &&
    (await work.admin.scopes(AbortSignal.timeout(CALL_MS))).includes("delete:users");
  const clearMarks = marksAt(work.credentials);
  for (const user of users) {
    const isToGo = user.kept === undefined && deletes.ours && (user.createdByUs || deletes.others);
    if (isToGo && mayDelete && work.admin !== null) {
      const { admin } = work;
      await steps.change(`user ${user.id}`, "deleted at Auth0", () =>
        admin.deleteUser(user.id, AbortSignal.timeout(CALL_MS)));
      continue;
    }
    if (user.roles.length > 0) {
      await steps.change(`roles of ${user.id}`, `${user.roles.join(", ")}, which we gave, taken`, async () => {
        await directory.remove(user.id, user.roles, AbortSignal.timeout(CALL_MS));
      });
    }
    if (user.kept !== undefined) {
      const { id, kept } = user;
      await steps.change(`marks of ${id}`, "what another buyer's purchases give this user stays", async () => {
        const [{ places } = {}] = work.bound.filter(([userId]) => userId === id).map(([, bound]) => bound);
        if (places?.includes("app_metadata") === true) {
          await directory.writeMetadataRoles(id, null, kept, AbortSignal.timeout(CALL_MS));
        }
      });
      continue;
    }
    await steps.change(`marks of ${user.id}`, "app_metadata gumroad_auth0 and gumroad_auth0_bound cleared", () =>
      clearMarks(user.id));
    if (isToGo) {
      steps.byHand(`user ${user.id}`,
        `nobody here may delete users: delete it in Auth0's dashboard, or ${NEEDS_ADMIN}, and run this again`);
    } else if (deletes.ours) {
      steps.kept(`user ${user.id}`, "not made by us, or made over since: --force deletes it too");
    }
  }
}

/** Clears our marks of users, with the service's own rights. */
function marksAt(credentials: Auth0Credentials): (userId: string) => Promise<void> {
  const value = async (): Promise<Auth0Credentials> => credentials;
  const paced = pacedFetch();
  const token = managementToken({ get: value, reread: value }, paced);
  const users = new UsersClient({ baseUrl: `${credentials.url}/api/v2`, token: () => token.get(), fetch: paced,
    maxRetries: 0 });
  return async (userId) => {
    try {
      await users.update(userId, { app_metadata: { ...OUR_METADATA } }, { abortSignal: AbortSignal.timeout(CALL_MS) });
    } catch (error) {
      if (statusOf(error) !== 404) throw failureOf(error, "clear our marks of a user");
    }
  };
}
