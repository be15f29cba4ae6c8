import type { ReplayAnswer } from "./pings.ts";
import type { ReplayReport } from "../operations/replay-files.ts";
import type { BuyerRoles } from "./roles.ts";
import { table } from "../terminal/table.ts";

/** The answers as a table. */
export function pingTable(pings: readonly ReplayAnswer[]): string {
  const rows = pings.map((
    { file, event, status, error },
  ) => [file, event, status === null ? "none" : String(status), error ?? ""]);
  return table(["ping", "event", "answer", ""], rows);
}

/** Each buyer's users and roles as a table. */
export function buyerTable(buyers: readonly BuyerRoles[]): string {
  const rows = buyers.flatMap(({ buyer, users }) => {
    if (users.length === 0) return [[buyer, "none", "", ""]];
    return users.map((
      { id, verified, roles },
    ) => [buyer, id, verified ? "yes" : "no", roles.length === 0 ? "none" : roles.join(", ")]);
  });
  return table(["buyer", "Auth0 user", "verified", "roles"], rows);
}

/** The report for scripts, with the same content as the tables. */
export function reportResult({ pings, buyers, waiting, managementCalls }: ReplayReport) {
  const answers = pings.map(({ file, event, buyer, status, error, ms }) => ({ file, event, buyer, status, error,
    ms })
  );
  return { pings: answers, buyers: buyers ?? [], waiting, managementCalls };
}
