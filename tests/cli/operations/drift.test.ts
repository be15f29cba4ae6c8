import { describe, expect, it } from "@jest/globals";

import { driftOf } from "../../../cli/operations/drift.ts";
import type { DirectoryUser } from "../../../src/auth0/directory.ts";
import { NeedsPersonError } from "../../../src/errors.ts";
import { type BuyerRecord, newRecord } from "../../../src/ledger/record.ts";

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
