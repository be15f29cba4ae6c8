import type { GateCall } from "../../local/aws/gate.ts";
import { HANDBOOK, inPing, sale, tellEverywhere, type Story } from "./stop-everywhere.ts";

const isForColdStart = ({ service, operation }: GateCall) =>
  service === "secretsmanager" || operation === "POST /oauth/token" || operation === "GET /api/v2/roles";
const stories: readonly Story[] = [
  { name: "a buyer never seen", before: async () => Promise.resolve(), ping: sale, roles: [HANDBOOK],
    at: (call, provisioning) => provisioning && !isForColdStart(call),
    passes: ["dynamodb GetItem", "dynamodb UpdateItem", "dynamodb PutItem", "auth0 GET /api/v2/users-by-email",
      "auth0 POST /api/v2/users", "auth0 POST /api/v2/users/{id}/roles",
      "auth0 POST /dbconnections/change_password"] },
  { name: "a cold start, with its secret, its token and its role names",
    before: async (stack) => stack.crash("provision"), ping: sale, roles: [HANDBOOK],
    at: (call, provisioning) => provisioning && isForColdStart(call),
    passes: ["secretsmanager GetSecretValue", "auth0 POST /oauth/token", "auth0 GET /api/v2/roles"] },
  { name: "the ping itself", before: async (stack) => stack.crash("ping"), ping: sale, roles: [HANDBOOK], at: inPing,
    passes: ["secretsmanager GetSecretValue", "sqs SendMessage"] },
];

tellEverywhere(stories);
