import type { DirectoryUser } from "../auth0/directory.ts";
import { TemporaryError } from "../errors.ts";
import type { BoundUser, BuyerRecord } from "../ledger/record.ts";
import type { Provisioning } from "./context.ts";

/**
 * Finds the Auth0 users of a buyer, or creates one where the record has nobody and they should have `roles`. `anybody`
 * is false where there are only users of somebody else's making whose email nobody verified.
 * A user is bound if its email is verified, or if we created it for this email: anybody can register with a stranger's
 * address (design, invariant 7). A user that we didn't create brings roles of its own: they are listed once, and never
 * removed. One that we created had none, also if a crash made us forget it, which the mark in its `app_metadata`
 * tells. Where roles are kept there, all that stand there are ours.
 */
export async function bindUsers(record: BuyerRecord, roles: readonly string[], work: Provisioning) {
  const isNeeded = roles.length > 0 && Object.keys(record.users).length === 0;
  const found = isNeeded ? await findOrCreate(record, roles, work) : await findAll(record, work);
  const eligible = found.filter((user) => user.verified || user.createdByUs);
  const fresh = eligible.filter(({ id }) => !Object.hasOwn(record.users, id));
  const bound = await Promise.all(fresh.map(async (user) => [user.id, await boundUser(user, record, work)] as const));
  const { creating: _, ...known } = record;
  const unverified = found.filter((user) => !eligible.includes(user)).map((user) => user.id);
  return {
    record: { ...known, users: { ...record.users, ...Object.fromEntries(bound) },
      unverified: [...new Set([...record.unverified, ...unverified])], lookedAt: record.lookedAt ?? work.now() },
    anybody: eligible.length > 0 || !isNeeded,
  };
}

async function boundUser(user: DirectoryUser, record: BuyerRecord,
  { auth0, settings: { place }, signal }: Provisioning): Promise<BoundUser> {
  const kept = place === "roles"
    ? { roles: {} }
    : { roles: Object.fromEntries(user.metadataRoles.map((role) => [role, "has"] as const)), places: [place] };
  if (user.createdByUs) return { origin: "created", foreign: [], ...kept };
  // Following a mail's link proves who owns the address, not who chose the password: who registered it while the buyer
  // was known here, or was seen unverified, would still get in. The owner sets a new one by mail.
  const isLater = record.lookedAt !== undefined && user.createdAt > record.lookedAt;
  if (user.database !== null && (isLater || record.unverified.includes(user.id))) {
    await auth0.forgetPassword(user, record.email, signal);
  }
  return { origin: "verified", foreign: place === "roles" ? await auth0.rolesOf(user.id, signal) : [], ...kept };
}

/** So often a user is created whom Auth0 neither makes nor has: an address is taken only once. */
const CREATES = 3;

async function findOrCreate(record: BuyerRecord, roles: readonly string[], work: Provisioning) {
  const { auth0, settings: { place }, signal } = work;
  let failure: TemporaryError | null = null;
  for (let creates = 0;; creates += 1) {
    // Again after a failure: a worker of ours made it between the two calls, or the buyer, or it was we, unanswered.
    const found = await findAll(record, work);
    if (found.length > 0) return found;
    if (failure !== null && creates === CREATES) throw failure;
    try {
      const created = await auth0.create(record.email, signal, ...(place === "roles" ? [] : [roles]));
      if (created !== null) return [created];
      failure = new TemporaryError("AUTH0_USER_HIDDEN",
        "Auth0 says that the user exists and doesn't find it by email yet.");
    } catch (error) {
      if (!(error instanceof TemporaryError)) throw error;
      failure = error;
    }
  }
}

/** Asks for the email in lower case, as databases store it, and as the buyer spelt it, as social providers may. */
export async function findAll({ email, spellings }: Pick<BuyerRecord, "email" | "spellings">,
  { auth0, signal }: Pick<Provisioning, "auth0" | "signal">): Promise<readonly DirectoryUser[]> {
  const found = await Promise.all([email, ...spellings].map(async (spelling) => auth0.find(email, spelling, signal)));
  return [...new Map(found.flat().map((user) => [user.id, user])).values()];
}
