import { expect } from "@jest/globals";
import type { GateCall } from "../../local/aws/gate.ts";
import { changed } from "../pipeline/local-stack.ts";
import { HANDBOOK, reconcile, sale, settle, tellEverywhere, untilDone, type Story } from "./stop-everywhere.ts";

const product = { product_id: "Z7kcrf7WgiSjiBnsGYi45w==" };
/**
 * The calls that these stories bring. The writes between them need no points of their own: to stop before a write is
 * to stop after the call that came before it.
 */
const NEW_HERE = ["GET /api/v2/users/{id}/roles", "DELETE /api/v2/users/{id}/roles", "POST /api/v2/users/{id}/roles",
  "POST /api/v2/jobs/verification-email", "PATCH /api/v2/users/{id}", "Query", "SendMessageBatch"];
const atNewCalls = ({ operation }: GateCall) => NEW_HERE.includes(operation);

const stories: readonly Story[] = [
  { name: "a buyer whose own user brings a role", before: async (stack, email) => {
    stack.auth0.addUser({ email, verified: true, roles: ["vip"] });
    return Promise.resolve();
  }, ping: sale, roles: [HANDBOOK, "vip"], at: atNewCalls,
    passes: ["auth0 GET /api/v2/users/{id}/roles", "auth0 POST /api/v2/users/{id}/roles"] },
  { name: "a refund beside another purchase", before: async (stack, email) => {
    await settle(stack, sale(email), changed("sale", { email, sale_id: `other of ${email}`, ...product }));
  }, ping: (email) => changed("refund-full", { email, sale_id: `of ${email}` }), roles: ["react-for-dataviz"],
    at: atNewCalls, passes: ["auth0 DELETE /api/v2/users/{id}/roles"] },
  { name: "an email that must be verified first", before: async (stack, email) => {
    stack.auth0.addUser({ email, verified: false });
    return Promise.resolve();
  }, ping: sale, after: async (stack, email) => {
    const [user] = stack.auth0.users().filter((each) => each.email === email);
    stack.auth0.verifyEmail(user!.user_id);
    await stack.advance(60 * 60_000);
    const changes = () =>
      stack.auth0.calls.filter(({ method, path, status }) =>
        method === "PATCH" && path === "/users/{id}" && status === 200
      ).length;
    const before = changes();
    await reconcile(stack);
    await untilDone(stack);
    // However the way there was broken off: no role before the password that a stranger may know is gone.
    expect(changes()).toBeGreaterThan(before);
  }, roles: [HANDBOOK], at: atNewCalls,
    passes: ["auth0 POST /api/v2/jobs/verification-email", "auth0 PATCH /api/v2/users/{id}", "dynamodb Query",
      "sqs SendMessageBatch"] },
  { name: "a renewal under another address", before: async (stack, email) => {
    await settle(stack,
      changed("membership-sale", { email, subscription_id: `of ${email}`, sale_id: `first of ${email}` }));
  },
    ping: (email) =>
      changed("membership-renewal", { email: `new.${email}`, subscription_id: `of ${email}`,
        "variants[Tier]": "Premium" }), roles: ["club", "club-premium"],
    at: ({ operation }, provisioning) => provisioning && ["SendMessage", "UpdateItem"].includes(operation),
    passes: ["sqs SendMessage", "dynamodb UpdateItem"] },
];

tellEverywhere(stories);
