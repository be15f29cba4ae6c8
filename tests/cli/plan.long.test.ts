import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { PolicyPlan } from "../../cli/operations/plan.ts";
import type { Stack } from "../../local/stack.ts";
import { bundleFunctions } from "../../scripts/bundling/bundle.ts";
import { roleNames } from "../../tenant/role-names.ts";
import { deliver, saleBy, startLocal } from "../pipeline/local-stack.ts";
import { changeEmail } from "../pipeline/login-address.ts";
import { cliOn } from "./local-cli.ts";
import { policyIn } from "./policy-source.ts";

const [BOOK, COURSE, CLUB] = ["zGyG_1JQunZuizwqd9CP7g==", "Z7kcrf7WgiSjiBnsGYi45w==", "wg2b8FhyMUKaJ6Eo3PrR5g=="];
/** A new role, a removed product, and a tier that was renamed in the policy and still has its old name at Gumroad. */
const EDITED = `export default defineProducts([
  { id: "${BOOK}", name: "Serverless Handbook", roles: ["serverless-handbook", "extras"] },
  { id: "${CLUB}", name: "Pro Club", variant: "Tier",
    roles: { Starter: ["club"], Premium: ["club", "club-premium"] } },
]);`;

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "plan-"));
  stack = await startLocal({ dataDir: path.join(folder, "data") });
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

const BUYERS = ["reader", "scholar", "basic", "premium", "both", "is"].map((name) => `${name}@example.com`);
const [reader = "", scholar = "", basic = "", premium = "", both = "", is = ""] = BUYERS;
const rolesNow = () => Object.fromEntries(BUYERS.map((email) => [email, stack.auth0.rolesOfEmail(email)]));
const tier = (name: string) => ({ product_id: CLUB!, "variants[Tier]": name });
const pairs = (changes: PolicyPlan["gains"]) =>
  changes.flatMap(({ role, buyers }) => buyers.map((email) => `${email} ${role}`)).sort();

describe("plan", () => {
  it("says exactly who changes, and a deployment of that policy then changes exactly those", async () => {
    await deliver(stack, saleBy(reader), saleBy(scholar, { product_id: COURSE! }), saleBy(basic, tier("Basic")),
      saleBy(premium, tier("Premium")), saleBy(both), saleBy(both, { product_id: COURSE!, sale_id: "another" }));
    // One user of two addresses: what the old one's purchase loses, the new one was given.
    await deliver(stack, saleBy("was@example.com", { product_id: COURSE! }));
    await changeEmail(stack.auth0, stack.auth0.users().find(({ email }) => email === "was@example.com")!.user_id, is);
    await cliOn(stack)(`grant ${is} react-for-dataviz --why x`);
    await stack.sqs.idle();
    const before = rolesNow();
    expect(before[is]).toEqual(["react-for-dataviz"]);
    const edited = policyIn(EDITED);
    const run = await cliOn(stack)("plan --json --fail-on-loss", { policy: edited });
    expect(run).toMatchObject({ code: 2, err: "" });
    const plan: PolicyPlan = JSON.parse(run.out);
    expect(pairs(plan.gains)).toEqual([`${both} extras`, `${reader} extras`]);
    expect(pairs(plan.losses)).toEqual([`${both} react-for-dataviz`, `${scholar} react-for-dataviz`]);
    expect(pairs(plan.held)).toEqual([`${basic} club`]);
    expect(rolesNow()).toEqual(before);

    await stack.stop();
    const policy = path.join(folder, "products.ts");
    const config = path.resolve("src/config/products-file.ts");
    writeFileSync(policy, `import { defineProducts } from ${JSON.stringify(config)};\n${EDITED}`);
    const bundlesDir = path.join(folder, "bundles");
    await bundleFunctions({ policy, outdir: bundlesDir });
    stack = await startLocal({ dataDir: path.join(folder, "data"), bundlesDir, roles: roleNames(edited) });
    await stack.invoke("reconcile", { sweep: "daily" });
    await stack.sqs.idle();

    const after = rolesNow();
    const changes = (from: Record<string, string[]>, to: Record<string, string[]>) =>
      BUYERS.flatMap((email) =>
        to[email]!.filter((role) => !from[email]!.includes(role)).map((role) => `${email} ${role}`)
      ).sort();
    expect(changes(before, after)).toEqual(pairs(plan.gains));
    expect(changes(after, before)).toEqual(pairs(plan.losses));
    expect(await cliOn(stack)("plan", { policy: edited })).toMatchObject({ code: 0,
      out: "7 buyers looked at: nobody would gain or lose a role" });
  });
});
