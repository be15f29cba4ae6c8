import { entitlements } from "../access/entitlements.ts";
import { isSourceId, type SourceId } from "../access/facts.ts";
import type { Policy } from "../access/policy.ts";
import { boughtTogether } from "../access/together.ts";
import type { User } from "../accounts/users.ts";
import { TemporaryError } from "../errors.ts";
import { loadOwner, loadRecord } from "../ledger/ledger.ts";
import { causesOf, log } from "../log.ts";

/** What a login needs of the ledger. */
export type ReadLedger = ReturnType<typeof readLedger>;

/** Reads a ledger's table. */
export function readLedger(table: Parameters<typeof loadOwner>[0]) {
  return { owner: (source: SourceId) => loadOwner(table, source), load: (email: string) => loadRecord(table, email) };
}

/** What an account claimed: where its owner's record is, and what that says became of it. */
export async function claimsOf(user: User | undefined, ledger: ReadLedger) {
  const found = await Promise.all([...(user?.claims ?? [])].filter(isSourceId).map(async (source) => {
    const owner = await ledger.owner(source);
    if (owner === null) return [];
    const record = await ledger.load(owner);
    const claim = record.claims?.find((each) => each.source === source && each.by === `name:${user?.username ?? ""}`);
    return [{ source, record, state: claim?.state }];
  }));
  return found.flat();
}

/** The purchases that an account was granted: the records of their owners, each with the sources. */
export async function linkedTo(user: User | undefined, ledger: ReadLedger, policy: Policy) {
  const granted = (await claimsOf(user, ledger)).filter(({ state }) => state === "granted");
  return granted.map(({ source, record }) => ({ record, sources: boughtTogether(record.sources, policy)(source) }));
}

/**
 * The roles of an account of the self-built login: what the purchases give now that it was granted. While the ledger
 * is away, none: a token without roles is better than no login.
 */
export function linkedRoles(
  { ledger, policy, now = Date.now }: { ledger: ReadLedger; policy: Policy; now?: () => number },
) {
  return async (user: User): Promise<readonly string[]> => {
    try {
      const linked = await linkedTo(user, ledger, policy);
      const roles = linked.flatMap(({ record, sources }) => {
        const { verdicts } = entitlements(record.sources, policy, now());
        const given = verdicts.filter(({ source }) => sources.includes(source)).flatMap((verdict) => verdict.roles);
        const kept = sources.flatMap((id) => (record.held[id] === undefined ? [] : (record.gave[id] ?? [])));
        return [...given, ...kept];
      });
      return [...new Set(roles)].sort();
    } catch (error) {
      if (!(error instanceof TemporaryError)) throw error;
      log.warn("a token without roles: the ledger is away", { causes: causesOf(error) });
      return [];
    }
  };
}
