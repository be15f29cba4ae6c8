import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";

/**
 * Keeps sessions, codes, grants and refresh tokens of one tenant in memory. `now` gives milliseconds; what is of an
 * earlier age than its user's is no longer valid.
 */
export function memoryAdapter(now: () => number, ageOf: (model: string, userId: string) => number): AdapterFactory {
  const kept = new Map<string,
    { readonly payload: AdapterPayload; readonly until: number; readonly userId: string; readonly age: number }>();
  const valid = (key: string): AdapterPayload | undefined => {
    const found = kept.get(key);
    if (found === undefined) return undefined;
    const [model = ""] = key.split(" ", 1);
    if (now() < found.until && found.age === ageOf(model, found.userId)) return found.payload;
    kept.delete(key);
    return undefined;
  };
  return (model: string): Adapter => {
    const by = (field: "uid" | "userCode", value: string): Promise<AdapterPayload | undefined> => {
      const key = [...kept.keys()].find((one) => one.startsWith(`${model} `) && valid(one)?.[field] === value);
      return Promise.resolve(key === undefined ? undefined : valid(key));
    };
    return { upsert(id, payload, expiresIn) {
      const key = `${model} ${id}`;
      const userId = payload.accountId ?? "";
      const before = kept.get(key);
      const age = before?.userId === userId ? before.age : ageOf(model, userId);
      kept.set(key, { payload, until: now() + (expiresIn ?? Infinity) * 1000, userId, age });
      return Promise.resolve();
    }, find: (id) => Promise.resolve(valid(`${model} ${id}`)), findByUid: (uid) => by("uid", uid),
      findByUserCode: (code) => by("userCode", code), consume(id) {
      const payload = valid(`${model} ${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(now() / 1000);
      return Promise.resolve();
    }, destroy(id) {
      kept.delete(`${model} ${id}`);
      return Promise.resolve();
    }, revokeByGrantId(grantId) {
      for (const key of kept.keys()) if (valid(key)?.grantId === grantId) kept.delete(key);
      return Promise.resolve();
    } };
  };
}
