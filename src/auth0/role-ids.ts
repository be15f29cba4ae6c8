/** How often the role names may be listed again because one is missing. */
const RELIST_MS = 10_000;

/** The ids of the tenant's roles, which are the same for a process but for what is made or deleted meanwhile. */
export interface RoleIds {
  /** The ids of those that exist, and the names of those that don't. */
  lookUp(names: readonly string[],
    signal: AbortSignal): Promise<{ readonly ids: readonly string[]; readonly missing: readonly string[] }>;
  /** Has them listed again: one of the ids turned out to be stale. */
  forget(): void;
}

/** Role ids by name: listed once a process, and again, at most every ten seconds, when a name is missing. */
export function roleIdsOf(list: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>,
  now: () => number): RoleIds {
  let listing: Promise<ReadonlyMap<string, string>> | undefined;
  let listedAt = 0;

  async function listed(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    if (listing !== undefined) return listing;
    const current = list(signal);
    listing = current;
    try {
      return await current;
    } catch (error) {
      if (listing === current) listing = undefined;
      throw error;
    } finally {
      listedAt = now();
    }
  }

  async function lookUp(names: readonly string[], signal: AbortSignal): ReturnType<RoleIds["lookUp"]> {
    const known = await listed(signal);
    const missing = names.filter((name) => !known.has(name));
    if (missing.length === 0 || now() - listedAt < RELIST_MS) {
      return { ids: names.flatMap((name) => known.get(name) ?? []), missing };
    }
    listing = undefined;
    return lookUp(names, signal);
  }

  return {
    lookUp,
    forget: () => {
      listing = undefined;
    },
  };
}
