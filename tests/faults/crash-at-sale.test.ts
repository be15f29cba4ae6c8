import { describe, it } from "@jest/globals";

import { HANDBOOK, inPing, inProvision, sale, stopEverywhere, type Story } from "./stop-everywhere.ts";

const stories: readonly Story[] = [
  {
    name: "a buyer never seen",
    before: async () => Promise.resolve(),
    ping: sale,
    roles: [HANDBOOK],
    at: inProvision,
    passes: ["secretsmanager GetSecretValue", "dynamodb GetItem", "dynamodb UpdateItem", "dynamodb PutItem", "auth0 POST /oauth/token", "auth0 GET /api/v2/users-by-email", "auth0 POST /api/v2/users", "auth0 POST /api/v2/users/{id}/roles"],
  },
  {
    name: "the ping itself",
    before: async () => Promise.resolve(),
    ping: sale,
    roles: [HANDBOOK],
    at: inPing,
    passes: ["secretsmanager GetSecretValue", "sqs SendMessage"],
  },
];

describe("wherever everything stops, this ends right, with no user twice and no foreign role touched", () => {
  it.each(stories)("$name", stopEverywhere, 60_000);
});
