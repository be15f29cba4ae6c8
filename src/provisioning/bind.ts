import type { DirectoryUser } from "../auth0/directory.ts";
import { TemporaryError } from "../errors.ts";
import type { BoundUser, BuyerRecord } from "../ledger/record.ts";
import type { Provisioning } from "./context.ts";
import { needsUsers } from "./marks.ts";

/** The buyer's users at Auth0; those of them who were there at our first look; and the record with what was seen. */
export async function lookUp(record: BuyerRecord, work: Provisioning) {
  const lookedAt = record.lookedAt ?? work.now();
  const found = await findAll(record, work);
  const unverified = found.filter(({ verified, createdByUs }) => !verified && !createdByUs).map(({ id }) => id);
  return { found, trusted: record.lookedAt === undefined ? found : [],
    record: { ...record, lookedAt, unverified: [...new Set([...record.unverified, ...unverified])] } };
}

/**
 * Binds the found users whose email is verified or whom we created for it, for anybody can register with a stranger's
 * address; or creates one where `roles` are due and the record has nobody. `anybody` is false where somebody else made
 * all of them and nobody verified the email.
 * A user that we didn't create brings roles of its own: they are listed once, and never removed. One that we created
 * had none; if a crash made us forget it, the mark in its `app_metadata` tells. Roles kept there are all ours.
 */
export async function bindUsers({ found, trusted, record }: Awaited<ReturnType<typeof lookUp>>,
  roles: readonly string[], work: Provisioning) {
  const isNeeded = needsUsers(record, roles);
  const users = found.length > 0 || !isNeeded ? found : await created(record, roles, work);
  const eligible = users.filter(({ verified, createdByUs }) => verified || createdByUs);
  const fresh = eligible.filter(({ id }) => !Object.hasOwn(record.users, id));
  const isLater = (user: DirectoryUser) => !trusted.includes(user) && user.createdAt > record.lookedAt;
  const bound = await Promise.all(
    fresh.map(async (user) => [user.id, await boundUser(user, isLater(user), record, work)] as const),
  );
  return { anybody: !isNeeded || fresh.length > 0,
    record: { ...record, users: { ...record.users, ...Object.fromEntries(bound) } } };
}

async function boundUser(user: DirectoryUser, isLater: boolean, record: BuyerRecord,
  { auth0, store: { givers }, settings: { place }, signal }: Provisioning): Promise<BoundUser> {
  const there = place === "roles" ? [] : user.metadataRoles;
  const kept = { roles: Object.fromEntries(there.map((role) => [role, "has"] as const)), told: [],
    ...(place === "roles" ? {} : { places: [place] }) };
  // Another record may have given them, and no item may tell of that yet.
  if (there.length > 0) await givers.giveUntold(user.id, signal);
  if (user.createdByUs) return { origin: "created", foreign: [], ...kept };
  // Following a mail's link proves who owns the address, not who chose the password: who registered it while the buyer
  // was known here, or was seen unverified, would still get in. The owner sets a new one by mail.
  if (user.database !== null && (isLater || record.unverified.includes(user.id))) {
    await auth0.forgetPassword(user, record.email, signal);
  }
  return { origin: "verified", foreign: place === "roles" ? await auth0.rolesOf(user.id, signal) : [], ...kept };
}

/** So often a user is created whom Auth0 neither makes nor has: an address is taken only once. */
const CREATES = 5;

async function created(record: BuyerRecord, roles: readonly string[],
  work: Provisioning): Promise<readonly DirectoryUser[]> {
  const { auth0, settings: { place }, signal } = work;
  for (let creates = 1; creates <= CREATES; creates += 1) {
    const user = await auth0.create(record.email, signal, ...(place === "roles" ? [] : [roles]))
      .catch((error: unknown) => {
        if (!(error instanceof TemporaryError) || creates === CREATES) throw error;
        return null;
      });
    if (user !== null) return [user];
    // A worker of ours made it between the two calls, or the buyer, or it was we, unanswered.
    const found = await findAll(record, work);
    if (found.length > 0) return found;
  }
  throw new TemporaryError("AUTH0_USER_HIDDEN", "Auth0 says that the user exists and doesn't find it by email yet.");
}

/** Asks for the email in lower case, as databases store it, and as the buyer spelt it, as social providers may. */
export async function findAll({ email, spellings }: Pick<BuyerRecord, "email" | "spellings">,
  { auth0, signal }: Pick<Provisioning, "auth0" | "signal">): Promise<readonly DirectoryUser[]> {
  const found = await Promise.all([email, ...spellings].map(async (spelling) => auth0.find(email, spelling, signal)));
  return [...new Map(found.flat().map((user) => [user.id, user])).values()];
}
