/** How often the role names may be listed again because one is missing. */
const RELIST_MS = 10_000;

/** Role ids by name: listed once a process, and again, at most every ten seconds, when a name is missing. */
export function roleIdsOf(list: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>, now: () => number) {
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

  /** The ids of those that exist, and the names of those that don't. */
  async function lookUp(names: readonly string[],
    signal: AbortSignal): Promise<{ readonly ids: readonly string[]; readonly missing: readonly string[] }> {
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
    /** Has them listed again: one of the ids turned out to be stale. */
    forget: () => {
      listing = undefined;
    },
  };
}
