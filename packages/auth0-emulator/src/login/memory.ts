import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";

/** Keeps sessions, codes, grants and refresh tokens of one tenant in memory. `now` gives milliseconds. */
export function memoryAdapter(now: () => number): AdapterFactory {
  const kept = new Map<string, { readonly payload: AdapterPayload; readonly until: number }>();
  const valid = (key: string): AdapterPayload | undefined => {
    const found = kept.get(key);
    if (found === undefined || now() < found.until) return found?.payload;
    kept.delete(key);
    return undefined;
  };
  return (model: string): Adapter => {
    const by = (field: "uid" | "userCode", value: string): Promise<AdapterPayload | undefined> => {
      const key = [...kept.keys()].find((one) => one.startsWith(`${model} `) && valid(one)?.[field] === value);
      return Promise.resolve(key === undefined ? undefined : valid(key));
    };
    return {
      upsert(id, payload, expiresIn) {
        kept.set(`${model} ${id}`, { payload, until: now() + (expiresIn ?? Infinity) * 1000 });
        return Promise.resolve();
      },
      find: (id) => Promise.resolve(valid(`${model} ${id}`)),
      findByUid: (uid) => by("uid", uid),
      findByUserCode: (code) => by("userCode", code),
      consume(id) {
        const payload = valid(`${model} ${id}`);
        if (payload !== undefined) payload.consumed = Math.floor(now() / 1000);
        return Promise.resolve();
      },
      destroy(id) {
        kept.delete(`${model} ${id}`);
        return Promise.resolve();
      },
      revokeByGrantId(grantId) {
        for (const key of kept.keys()) if (valid(key)?.grantId === grantId) kept.delete(key);
        return Promise.resolve();
      },
    };
  };
}
