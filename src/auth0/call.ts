import { failureOf, refusedWith, statusOf } from "./failures.ts";
import type { ManagementToken } from "./token.ts";

/** The SDK's options of a call. */
export type Until = { readonly abortSignal: AbortSignal };

/** Makes a call. `what` names it in errors: "create a user". */
export type Call = ReturnType<typeof callsWith>;

/** Calls that with a refused token, or one that may lack a scope granted since, are made once more with a new one. */
export function callsWith(token: ManagementToken) {
  return async <T>(what: string, signal: AbortSignal, make: (until: Until) => PromiseLike<T>): Promise<T> => {
    const until = { abortSignal: signal };
    const used = await token.get(signal);
    try {
      return await make(until);
    } catch (error) {
      const status = statusOf(error);
      if (status === 401) token.refuse(used);
      else if (status !== 403 || !token.doubt(used)) throw failureOf(error, what);
    }
    try {
      return await make(until);
    } catch (error) {
      throw failureOf(error, what);
    }
  };
}

/** Whether what a call is about isn't there (any more). */
export async function isGone(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    if (refusedWith(error) === 404) return true;
    throw error;
  }
}
