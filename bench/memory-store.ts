import type { SourceId } from "../src/access/facts.ts";
import { mergeSource } from "../src/access/merge.ts";
import { TemporaryError } from "../src/errors.ts";
import type { UserItem } from "../src/ledger/givers.ts";
import type { SourceItem } from "../src/ledger/ledger.ts";
import { newRecord, type BuyerRecord } from "../src/ledger/record.ts";
import type { Store } from "../src/provisioning/context.ts";

/** What provisioning writes down, in memory, for any number of buyers. `reached` is awaited before each call. */
export function memoryStore(reached: () => Promise<void>): Store {
  const records = new Map<string, BuyerRecord>();
  const sources = new Map<SourceId, SourceItem>();
  const users = new Map<string, UserItem>();
  const never = (): never => {
    throw new Error("not called here");
  };
  const userOf = (id: string) => users.get(id) ?? { version: 0, givers: new Map() };
  const sourceOf = (id: SourceId): SourceItem => sources.get(id) ?? { owner: null, waiting: null };
  function keep(id: SourceId, item: SourceItem): SourceItem {
    sources.set(id, item);
    return item;
  }
  return { ledger: { load: async (email) => {
    await reached();
    return records.get(email) ?? newRecord(email);
  }, save: async (record) => {
    await reached();
    if (record.version !== (records.get(record.email)?.version ?? newRecord(record.email).version)) {
      throw new TemporaryError("RECORD_CHANGED", "Somebody else wrote first.");
    }
    const saved = { ...record, version: record.version + 1 };
    records.set(record.email, saved);
    return saved;
  }, remember: async () => reached(), owner: async (id) => {
    await reached();
    return sourceOf(id).owner;
  }, claim: async (id, email) => {
    await reached();
    return keep(id, { ...sourceOf(id), owner: sourceOf(id).owner ?? email });
  }, park: async (id, facts, owner) => {
    await reached();
    const item = sourceOf(id);
    if (item.owner !== null && item.owner !== owner) return item;
    return keep(id, { ...item, waiting: mergeSource(item.waiting ?? facts, facts) });
  }, move: never, due: never }, givers: { of: async (id) => {
    await reached();
    return userOf(id);
  }, give: async (id, email, given) => {
    await reached();
    const { version, givers } = userOf(id);
    const item = { version: version + 1, givers: new Map(givers).set(email, given) };
    users.set(id, item);
    return item;
  }, giveUntold: async () => reached(), leave: async () => reached() },
    gifts: { note: never, of: async () => Promise.resolve([]) },
    losses: { permit: async () => Promise.resolve(true), noteHeld: never, noteReleased: never },
    pending: { put: never, due: async () => Promise.resolve([]), remove: never },
    sweeps: { countChanged: async () => Promise.resolve() } };
}
