import { afterAll, beforeAll, describe, it } from "@jest/globals";

import { HANDBOOK, sale, startStoppable, stopEverywhere, type Stoppable } from "./stop-everywhere.ts";

/** The calls that a sale changes Auth0 with; the long tests stop at all its calls, and in other stories. */
const WRITES = ["POST /api/v2/users", "POST /api/v2/users/{id}/roles", "POST /dbconnections/change_password"];

describe("wherever a sale is stopped at a write to Auth0, it ends right, with no user twice", () => {
  let stoppable: Stoppable;
  beforeAll(async () => {
    stoppable = await startStoppable();
  });
  afterAll(async () => {
    await stoppable.stack.stop();
  });

  it("for a buyer never seen", () =>
    stopEverywhere(stoppable, { name: "a buyer never seen", before: async () => Promise.resolve(), ping: sale,
      roles: [HANDBOOK], at: ({ operation }) => WRITES.includes(operation), passes: WRITES.map((operation) =>
        `auth0 ${operation}`
      ) }));
});
