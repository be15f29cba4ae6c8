import { types } from "node:util";

// Not `instanceof`: an error of Node itself is of another realm where tests run in one of their own.

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return types.isNativeError(thrown) ? thrown.message : String(thrown);
}

/** Name and stack of whatever was thrown, as Lambda reports it. */
export function reportOf(thrown: unknown): { readonly errorType: string; readonly message: string } {
  if (!types.isNativeError(thrown)) return { errorType: "Error", message: String(thrown) };
  return { errorType: thrown.name, message: thrown.stack ?? thrown.message };
}

/** The `code` of a Node system error (`EADDRINUSE` …), if it is one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!types.isNativeError(thrown) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
