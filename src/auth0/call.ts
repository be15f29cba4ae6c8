import type * as z from "zod/mini";

import { NeedsPersonError, ServiceError, TemporaryError } from "../errors.ts";
import type { managementToken } from "./token.ts";

/** The SDK's options of a call. */
export type Until = { readonly abortSignal: AbortSignal };

/** Makes a call. `what` names it in errors: "create a user". */
export type Call = ReturnType<typeof callsWith>;

/** Calls that with a refused token, or one that may lack a scope granted since, are made once more with a new one. */
export function callsWith(token: ReturnType<typeof managementToken>) {
  return async <T>(what: string, signal: AbortSignal, make: (until: Until) => PromiseLike<T>): Promise<T> => {
    const until = { abortSignal: signal };
    const used = await token.get(signal);
    for (let isFirst = true;; isFirst = false) {
      try {
        return await make(until);
      } catch (error) {
        const status = statusOf(error);
        const isAgain = isFirst && (status === 401 || status === 403) && token.drop(used, status);
        if (!isAgain) throw failureOf(error, what);
      }
    }
  };
}

/** Whether what a call is about isn't there (any more). */
export async function isGone(call: Promise<unknown>): Promise<boolean> {
  return call.then(() => false, (error: unknown) => {
    if (refusedWith(error) === 404) return true;
    throw error;
  });
}

/** Auth0's status for a failed call, or undefined where no answer came (time-outs, socket errors). */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;
}

/** The status of Auth0's answer behind an error of ours. */
export function refusedWith(error: unknown): number | undefined {
  return error instanceof Error ? statusOf(error.cause) : undefined;
}

/** Our error for what the SDK throws: what mends itself, or what needs a person. `what` names it: "create a user". */
export function failureOf(error: unknown, what: string): Error {
  if (error instanceof ServiceError) return error;
  if (error instanceof Error && error.cause instanceof TemporaryError) return error.cause;
  const needsPerson = (code: string, message: string) => new NeedsPersonError(code, message, { cause: error });
  const status = statusOf(error);
  if (status === 400) return needsPerson("AUTH0_REFUSED", `Auth0 refused to ${what}: ${saidBy(error)}.`);
  if (status === 401) {
    return needsPerson("AUTH0_CREDENTIALS",
      `Auth0 refused a new token's call to ${what}: check the secret auth0 and the application's grant.`);
  }
  if (status === 403 && lacksScope(error)) {
    return needsPerson("AUTH0_SCOPE",
      `The Auth0 application may not ${what}: grant it the scopes in the README. Auth0 says: ${saidBy(error)}.`);
  }
  if (status === 403) {
    return needsPerson("AUTH0_FORBIDDEN",
      `Auth0 forbids to ${what}, and no scope is missing: a quota or limit of its plan, a blocked tenant, or a ` +
        `firewall before it. Auth0 says: ${saidBy(error)}.`);
  }
  const answered = status === undefined ? "" : `: it answered ${String(status)}`;
  return new TemporaryError("AUTH0_UNREACHABLE", `Auth0 could not ${what} in time${answered}.`, { cause: error });
}

/** Whether a refused call (an SDK's error, or ours with it as its cause) lacked a scope. */
export function lacksScope(error: unknown): boolean {
  return bodyOf(error instanceof ServiceError ? error.cause : error)["errorCode"] === "insufficient_scope";
}

/** Auth0's own message, which names the scope or the field. The log scrubs emails from it. */
function saidBy(error: unknown): string {
  const message = bodyOf(error)["message"];
  return typeof message === "string" ? message : "nothing";
}

function bodyOf(error: unknown): Readonly<Record<string, unknown>> {
  const body = error instanceof Error && "body" in error ? error.body : null;
  return typeof body === "object" && body !== null ? { ...body } : {};
}

/** The part of an answer that is used. Throws NeedsPersonError AUTH0_NOT_UNDERSTOOD. */
export function answerAs<T>(shape: z.ZodMiniType<T>, answer: unknown): T {
  const parsed = shape.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new NeedsPersonError("AUTH0_NOT_UNDERSTOOD",
    `Auth0's answer is not as it is documented, at "${parsed.error.issues[0]?.path.join(".") ?? ""}".`);
}
