import { describe, expect, it } from "@jest/globals";

import { driftOf, drifts } from "../../../cli/operations/drift.ts";
import type { Progress } from "../../../cli/operations/operating.ts";
import type { DirectoryUser } from "../../../src/auth0/directory.ts";
import { NeedsPersonError } from "../../../src/errors.ts";
import { ledgerTable } from "../../../src/ledger/keys.ts";
import { dynamoLedger } from "../../../src/ledger/ledger.ts";
import { type BuyerRecord, newRecord } from "../../../src/ledger/record.ts";
import { startLedgerTable } from "../../ledger/ledger-table.ts";

const ANN = "ann@example.com";

function recordWith(users: BuyerRecord["users"]): BuyerRecord {
  return { ...newRecord(ANN), users };
}

function tenantOf(roles: Readonly<Record<string, readonly string[]>>, metadata: readonly DirectoryUser[] = []) {
  return { find: async () => metadata, rolesOf: async (userId: string) => {
    const found = roles[userId];
    if (found !== undefined) return found;
    throw new NeedsPersonError("AUTH0_REFUSED", "gone", {
      cause: Object.assign(new Error("not found"), { statusCode: 404 }),
    });
  } };
}

describe("drift", () => {
  it("is a role that we gave and Auth0 doesn't have, or a user who is gone", async () => {
    const record = recordWith({
      "auth0|1": { origin: "created", foreign: ["staff"], roles: { club: "has", handbook: "has" } },
      "auth0|2": { origin: "verified", foreign: [], roles: { club: "has" } },
    });
    expect(await driftOf(record, "roles", tenantOf({ "auth0|1": ["club"] }))).toEqual([
      { buyer: ANN, userId: "auth0|1", isGone: false, missing: ["handbook"] },
      { buyer: ANN, userId: "auth0|2", isGone: true, missing: ["club"] },
    ]);
  });

  it("is no role that somebody else gave, and none that is just changing", async () => {
    const record = recordWith({
      "auth0|1": { origin: "created", foreign: ["staff"],
        roles: { club: "has", handbook: "adding", old: "removing" } },
    });
    expect(await driftOf(record, "roles", tenantOf({ "auth0|1": ["club", "old", "by-hand"] }))).toEqual([]);
  });

  it("is looked for with as many buyers as are asked for, of those who have something of us", async () => {
    const table = await startLedgerTable();
    try {
      const ledger = dynamoLedger(ledgerTable(table.client, table.name));
      for (let nth = 0; nth < 8; nth += 1) {
        const roles = nth % 4 === 0 ? {} : { club: "has" as const };
        await ledger.save({ ...newRecord(`b${String(nth)}@example.com`),
          users: { [`auth0|${String(nth)}`]: { origin: "created", foreign: [], roles } } });
      }
      const told: (Progress | null)[] = [];
      const stage = { dynamo: table.client, ledger: table.name, access: "roles" as const };
      const compare = (most: number | null) =>
        drifts({ most, records: 8 }, { stage, tell: (each) => told.push(each),
          directory: async () => ({ rolesOf: async () => [], find: async () => [] }) });
      expect(await compare(3)).toMatchObject({ looked: 3, drifts: [{ missing: ["club"] }, {}, {}] });
      expect(told.at(-1)).toEqual({ what: "buyers", done: 3, total: 3 });
      expect((await compare(null)).looked).toBe(6);
      expect(told.at(-1)).toEqual({ what: "buyers", done: 8, total: 8 });
    } finally {
      await table.stop();
    }
  });

  it("is looked for in app_metadata where roles are kept there", async () => {
    const record = recordWith({ "auth0|1": { origin: "created", foreign: [], roles: { club: "has" } } });
    const user: DirectoryUser = { id: "auth0|1", verified: true, createdByUs: true, database: null, createdAt: 0,
      hasLoggedIn: false, metadataRoles: [] };
    expect(await driftOf(record, "app_metadata", tenantOf({ "auth0|1": ["club"] }, [user]))).toEqual([
      { buyer: ANN, userId: "auth0|1", isGone: false, missing: ["club"] },
    ]);
    expect(await driftOf(record, "app_metadata", tenantOf({ "auth0|1": [] }))).toEqual([]);
  });
});
