import { entitlements, withHeld, type Access } from "../../src/access/entitlements.ts";
import { entriesOf, type SourceId } from "../../src/access/facts.ts";
import { addFacts } from "../../src/access/merge.ts";
import type { Policy } from "../../src/access/policy.ts";
import type { Table } from "../../src/dynamo/table.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { loadRecord } from "../../src/ledger/ledger.ts";
import { holdersOf, mostLosses } from "../../src/ledger/losses.ts";
import type { BoundUser, BuyerRecord } from "../../src/ledger/record.ts";
import { isNamed, isToComeIn } from "../../src/provisioning/apart.ts";
import { underHold, type Decided } from "../../src/provisioning/hold.ts";
import { marked } from "../../src/provisioning/marks.ts";
import { everyRecord, type Apart } from "../ledger/records.ts";
import type { Stage } from "../stage/stage.ts";
import type { Operating } from "./operating.ts";

/** What a plan is made with: the policy is the one that would be in force. */
export type Planning = Pick<Operating, "policy" | "now" | "tell"> & {
  readonly stage: Pick<Stage, "dynamo" | "ledger">;
};

/** Buyers to whom one product would do the same with one role. */
export interface PlannedChange {
  readonly productId: string;
  /** As the policy calls it; null: it doesn't list the product (any more), or the role was given for nothing. */
  readonly product: string | null;
  readonly role: string;
  /** Emails, sorted. */
  readonly buyers: readonly string[];
}

/** What time alone will change of a buyer, under the planned policy. */
export interface TimedChange {
  readonly buyer: string;
  /** Epoch ms. */
  readonly at: number;
  readonly gains: readonly string[];
  readonly losses: readonly string[];
}

/** Who would gain and who would lose what, were a policy in force. */
export interface PolicyPlan {
  /** Records that were looked at, and those among them that can't be read. */
  readonly buyers: number;
  readonly broken: number;
  readonly gains: readonly PlannedChange[];
  readonly losses: readonly PlannedChange[];
  /** Losses that the hold would stop: these buyers keep the role until a person says release or keep. */
  readonly held: readonly PlannedChange[];
  /** Within the next {@link AHEAD_DAYS} days. */
  readonly byTime: readonly TimedChange[];
}

/** How many buyers would lose a role, or would but for the hold. */
export function losersOf({ losses, held }: PolicyPlan): number {
  return buyersOf([...losses, ...held]).size;
}

/** Whom changes concern, each once. */
export function buyersOf(changes: readonly PlannedChange[]): ReadonlySet<string> {
  return new Set(changes.flatMap(({ buyers }) => buyers));
}

/** How many days a plan looks ahead. */
export const AHEAD_DAYS = 30;
const AHEAD_MS = AHEAD_DAYS * 24 * 60 * 60_000;

/**
 * Works out what provision would do with every buyer's record under a policy: by its own derivation, hold and marks.
 * Reads the whole ledger, changes nothing. What others lose in the same hour, and Auth0's own say, are left out. A
 * user of two buyers keeps what either gives: that changes for nobody.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 * @throws {ConfigError} POLICY_INVALID
 */
export async function planPolicy({ stage, now, tell, ...operating }: Planning): Promise<PolicyPlan> {
  const policy = await operating.policy();
  const at = now();
  const table = ledgerTable(stage.dynamo, stage.ledger);
  const permit = permits(table);
  const changes = new Map<string, Changes>();
  const look = async (record: BuyerRecord) => {
    changes.set(record.email, await changesOf(record, { policy, at, permit }));
  };
  const comingIn = new Map<string, Apart[]>();
  let [buyers, broken] = [0, 0];
  for await (const page of everyRecord(table)) {
    for (const record of page.records) await look(record);
    for (const apart of page.apart.filter(({ facts }) => isNamed(facts, policy))) {
      comingIn.set(apart.owner, [...(comingIn.get(apart.owner) ?? []), apart]);
    }
    buyers += page.records.length + page.broken;
    broken += page.broken;
    tell({ what: "buyers", done: buyers, total: null });
  }
  for (const [owner, apart] of comingIn) {
    const record = await loadRecord(table, owner);
    if (record.version === 0) buyers += 1;
    await look(
      apart.reduce((known, { id, facts }) =>
        isToComeIn(id, facts, known, policy) ? { ...known, sources: addFacts(known.sources, id, facts) } : known,
        record),
    );
  }
  return planOf(withoutShared(changes), { policy, buyers, broken });
}

/** One role and the products by which a buyer gains, loses or keeps it. */
interface RoleOf {
  readonly role: string;
  readonly products: readonly string[];
}

/** What would change for one buyer. */
interface Changes {
  readonly gains: readonly RoleOf[];
  readonly losses: readonly RoleOf[];
  readonly held: readonly RoleOf[];
  readonly byTime: readonly Omit<TimedChange, "buyer">[];
  readonly users: readonly UserRoles[];
}

/** The roles of ours that an Auth0 user of a buyer has by this buyer's record. */
interface UserRoles {
  readonly id: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

async function changesOf(record: BuyerRecord,
  { policy, at, permit }: { readonly policy: Policy; readonly at: number; readonly permit: Permit }): Promise<
  Changes
> {
  const access = entitlements(record.sources, policy, at);
  const { record: after, roles } = await underHold(record, access, at, permit);
  const changed = marked(after, roles);
  const [before, then] = [rolesOf(record), rolesOf({ ...changed, gave: after.gave })];
  return { gains: without(then, before).map((role) => ({ role, products: productsGiving(after, role, record) })),
    losses: without(before, then).map((role) => ({ role, products: productsGiving(record, role, after) })),
    held: heldAnew(record, after, access).map((role) => ({ role, products: productsGiving(after, role) })),
    byTime: await changesByTime({ record: after, roles }, access, policy, at),
    users: Object.entries(record.users).map(([id, user]) => ({ id, before: rolesThere(user),
      after: rolesThere(changed.users[id] ?? user) })
    ) };
}

/**
 * What changes for people: a role that another buyer's purchases give the same user, before and after, neither comes
 * nor goes by this one's.
 */
function withoutShared(changes: ReadonlyMap<string, Changes>): ReadonlyMap<string, Changes> {
  const all = [...changes].flatMap(([buyer, { users, byTime }]) => users.map((user) => ({ ...user, buyer, byTime })));
  const byUser = Map.groupBy(all, ({ id }) => id);
  return new Map([...changes].map(([buyer, each]) => {
    const others = (id: string) => (byUser.get(id) ?? []).filter((user) => user.buyer !== buyer);
    const isShared = each.users.some(({ id }) => others(id).length > 0);
    if (!isShared) return [buyer, each];
    const remain = (roles: readonly RoleOf[], from: "before" | "after", to: "before" | "after") =>
      roles.filter(({ role }) =>
        each.users.some(({ id, ...user }) =>
          user[from].includes(role) && !user[to].includes(role) &&
          !others(id).some((other) => other[to].includes(role))
        )
      );
    // With time, another buyer's purchase may end as well.
    const given = (role: string, at: number) =>
      each.users.every(({ id }) =>
        others(id).some((other) =>
          other.after.includes(role) && !other.byTime.some((time) => time.at <= at && time.losses.includes(role))
        )
      );
    const byTime = each.byTime.map(({ at, gains, losses }) => ({ at, gains: gains.filter((role) => !given(role, at)),
      losses: losses.filter((role) => !given(role, at)) })
    );
    return [buyer, { ...each, gains: remain(each.gains, "after", "before"),
      losses: remain(each.losses, "before", "after"),
      byTime: byTime.filter(({ gains, losses }) => gains.length + losses.length > 0) }];
  }));
}

function planOf(changes: ReadonlyMap<string, Changes>,
  { policy, buyers, broken }: { readonly policy: Policy; readonly buyers: number;
    readonly broken: number }): PolicyPlan {
  const tallied = (kind: "gains" | "losses" | "held"): readonly PlannedChange[] => {
    const rows = new Map<string, { readonly productId: string; readonly role: string; readonly buyers: string[] }>();
    for (const [email, each] of changes) {
      for (const { role, products } of each[kind]) {
        for (const productId of products.length === 0 ? [""] : products) {
          const row = rows.get(JSON.stringify([productId, role])) ?? { productId, role, buyers: [] };
          rows.set(JSON.stringify([productId, role]), row);
          row.buyers.push(email);
        }
      }
    }
    return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => ({ ...row,
      product: policy.get(row.productId)?.name ?? null, buyers: row.buyers.sort() })
    );
  };
  const byTime = [...changes].flatMap(([buyer, each]) => each.byTime.map((change) => ({ buyer, ...change })));
  return { buyers, broken, gains: tallied("gains"), losses: tallied("losses"), held: tallied("held"),
    byTime: byTime.sort((a, b) => a.at - b.at) };
}

type Permit = (productId: string) => Promise<boolean>;

/** As many losses as the hold lets through within an hour, for each product. */
function permits(table: Table): Permit {
  const left = new Map<string, number>();
  return async (productId) => {
    const most = left.get(productId) ?? mostLosses(await holdersOf(table, productId));
    left.set(productId, most - 1);
    return most > 0;
  };
}

/** The roles that a buyer's users have of us; of a buyer without a user yet, what the purchases give. */
function rolesOf({ users, gave }: Pick<BuyerRecord, "users" | "gave">): readonly string[] {
  const all = Object.values(users);
  const roles = all.length === 0 ? Object.values(gave).flatMap((given) => given ?? []) : all.flatMap(rolesThere);
  return [...new Set(roles)].sort();
}

function rolesThere({ roles }: BoundUser): readonly string[] {
  return Object.keys(roles).filter((role) => roles[role] !== "removing");
}

/** The products by which a record gives a role, and another record doesn't. */
function productsGiving(record: BuyerRecord, role: string, other?: BuyerRecord): readonly string[] {
  const gives = ({ gave }: BuyerRecord, id: SourceId) => (gave[id] ?? []).includes(role);
  const giving = entriesOf(record.sources).filter(([id]) =>
    gives(record, id) && (other === undefined || !gives(other, id))
  );
  return [...new Set(giving.map(([, { productId }]) => productId))];
}

/** The roles that a buyer keeps only because a loss would be held from now on. */
function heldAnew(before: BuyerRecord, after: BuyerRecord, access: Access): readonly string[] {
  const withoutNew = withHeld(access.roles, { ...after, held: before.held });
  return without(withHeld(access.roles, after), withoutNew);
}

/** The hold's own count of an hour that is to come is nobody's to know: it lets all through but what is unlisted. */
async function changesByTime(decided: Pick<Decided, "record" | "roles">, access: Access, policy: Policy,
  now: number): Promise<Changes["byTime"]> {
  const changes: Omit<TimedChange, "buyer">[] = [];
  let { record, roles } = decided;
  for (let at = access.changesAt; at !== null && at <= now + AHEAD_MS;) {
    const due = entitlements(record.sources, policy, at);
    const then = await underHold(record, due, at, async () => true);
    const [gains, losses] = [without(then.roles, roles), without(roles, then.roles)];
    if (gains.length + losses.length > 0) changes.push({ at, gains, losses });
    ({ record, roles } = then);
    at = due.changesAt;
  }
  return changes;
}

function without(roles: readonly string[], others: readonly string[]): readonly string[] {
  return roles.filter((role) => !others.includes(role));
}
