import { DynamoDBClient } from "@aws-sdk/client-dynamodb";

import { ledgerTable } from "../../src/ledger/keys.ts";
import type { Provisioning } from "../../src/provisioning/context.ts";
import { JAN_5 } from "../access/purchases.ts";

/** What must not be called. */
export const never = (): never => {
  throw new Error("not called here");
};

/** Provisioning of which nothing may be called: a test puts in place what it needs. */
export const uncalled: Provisioning = {
  store: {
    ledger: { load: never, save: never, claim: never, park: never, owner: never, remember: never, move: never,
      due: never },
    gifts: { note: never, of: never },
    losses: { permit: never, noteHeld: never, noteReleased: never },
    givers: { of: never, give: never, giveUntold: never, leave: never },
    pending: { put: never, due: never, remove: never },
    sweeps: { countChanged: never },
  },
  auth0: { find: never, create: never, rolesOf: never, assign: never, remove: never, writeMetadataRoles: never,
    forgetPassword: never, mailVerification: never, invite: never },
  gumroad: async () => null,
  queue: { send: never, keep: never, retryIn: never },
  policy: new Map(),
  settings: { place: "roles", gettingIn: "none" },
  now: () => JAN_5,
  signal: new AbortController().signal,
};

/** A table that isn't there. */
export const nowhere = ledgerTable(
  new DynamoDBClient({ endpoint: "http://127.0.0.1:1", region: "eu-west-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" }, maxAttempts: 1 }),
  "t",
);
