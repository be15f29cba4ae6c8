import type { CallSummary } from "emulator-server/call-log";

/** A call of one of Auth0's two APIs; a Management call's `url` is the decoded path below `/api/v2`. */
export interface Auth0Call extends CallSummary {
  /** `mail` and `token` belong to the Authentication API. */
  readonly api: "token" | "mail" | "management";
}

/** How many calls of each sort there were. */
export interface CallCounts {
  /** Management calls, but for the listing of the role names, which a process makes once. */
  readonly management: number;
  readonly token: number;
  /** Listings of the role names (`GET /roles`). */
  readonly roles: number;
}

/** Counts calls; refused and failed ones too. */
export function countsOf(calls: readonly Auth0Call[]): CallCounts {
  const token = calls.filter(({ api }) => api === "token").length;
  const management = calls.filter(({ api }) => api === "management").length;
  const roles = calls.filter(({ method, path }) => method === "GET" && path === "/roles").length;
  return { token, roles, management: management - roles };
}
