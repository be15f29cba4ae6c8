import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { Policy } from "../../src/access/policy.ts";
import { policyFile, withoutEntries } from "../../cli/products/policy-file.ts";
import { type GumroadEmulator, startGumroadEmulator } from "gumroad-emulator";
import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { type SecretsEmulator, startSecretsEmulator } from "../../local/aws/secrets.ts";
import type { ShopProduct } from "../../cli/admin/shop-admin.ts";
import shopPolicy from "../../fixtures/policy.ts";
import { localStage } from "../../cli/stage/local.ts";
import { cli } from "./local-cli.ts";
import { policyIn, typeErrorsIn } from "./policy-source.ts";

const product = (changes: Partial<ShopProduct>): ShopProduct => ({ id: "id==", name: "Some Book", slug: "book",
  categories: [], membership: false, contains: [], ...changes });
const tiers = (...options: string[]) => ({ title: "Tier", options });
const none: Policy = new Map();
const proposed = (changes: Partial<ShopProduct>, ...more: ShopProduct[]) =>
  policyIn(policyFile([product(changes), ...more], none)).get(changes.id ?? "id==");

describe("the policy file of a shop", () => {
  it.each([
    { about: "a role named after the product", of: { name: "Pro Club!" }, entry: { roles: ["pro-club"] } },
    { about: "one without accents", of: { name: "Übung für Ärzte" }, entry: { roles: ["ubung-fur-arzte"] } },
    { about: "one after the slug where the name has no letters of ASCII", of: { name: "日本語" },
      entry: { roles: ["book"] } },
    { about: "one of 50 letters at most", of: { name: "long ".repeat(20) },
      entry: { roles: ["long-long-long-long-long-long-long-long-long-long"] } },
    { about: "a role by tier", of: { name: "Club", membership: true, categories: [tiers("Basic", "Très cher")] },
      entry: { variant: "Tier", roles: { Basic: ["club-basic"], "Très cher": ["club-tres-cher"] } } },
    { about: "one role for a membership of one tier",
      of: { name: "Club", membership: true, categories: [tiers("Untitled")] }, entry: { roles: ["club"] } },
    { about: "one role for all versions", of: { categories: [{ title: "Version", options: ["PDF", "ePub"] }] },
      entry: { roles: ["some-book"] } },
  ])("proposes $about", ({ of, entry }) => {
    expect(proposed(of)).toEqual({ id: "id==", name: of.name ?? "Some Book", ...entry });
  });

  it("knows bundles, of products in the shop only", () => {
    expect(proposed({ contains: ["child==", "gone=="] }, product({ id: "child==" }))).toEqual({ id: "id==",
      name: "Some Book", contains: ["child=="] });
  });

  it("survives names that are code", () => {
    const name = '"]);\nprocess.exit(1) // */ ${x} `';
    const source = policyFile([
      product({ name, membership: true,
        categories: [tiers("__proto__", name), { title: "*/\nevil()", options: ["a\u2028b"] }] }),
    ], none);
    const entry = policyIn(source).get("id==");
    expect({ ...entry, roles: Object.entries(entry.roles) }).toEqual({ id: "id==", name, variant: "Tier",
      roles: [["__proto__", ["process-exit-1-x-proto"]], [name, ["process-exit-1-x-process-exit-1-x"]]] });
  });

  it("keeps what the policy has, also what isn't sold any more, and names options that it doesn't list", () => {
    const source = policyFile([
      product({ id: "wg2b8FhyMUKaJ6Eo3PrR5g==", membership: true, categories: [tiers("Basic", "Premium", "Gold")] }),
    ], shopPolicy);
    expect(policyIn(source)).toEqual(shopPolicy);
    expect(source).toContain("// Not listed yet: Gold.\n");
    expect(source).toContain("// Not in the shop, or not any more");
  });

  it("drops an entry, also from bundles, and a bundle with nothing left", () => {
    const [handbook, dataviz, bundle] = ["zGyG_1JQunZuizwqd9CP7g==", "Z7kcrf7WgiSjiBnsGYi45w==",
      "zdLk8Uz-AIidbazwzX2EkA=="];
    expect(withoutEntries(shopPolicy, [handbook!]).get(bundle!)).toMatchObject({ contains: [dataviz] });
    expect(withoutEntries(shopPolicy, [handbook!, dataviz!]).has(bundle!)).toBe(false);
    const withRoles: Policy = new Map([["b", { id: "b", name: "B", contains: ["x"], roles: ["r"] }]]);
    expect(policyIn(policyFile([], withoutEntries(withRoles, ["x"]))).get("b")).toEqual({ id: "b", name: "B",
      roles: ["r"] });
  });
});

describe("products", () => {
  let shop: GumroadEmulator;
  let secrets: SecretsEmulator;
  let folder: string;
  beforeAll(async () => {
    [shop, secrets] = await Promise.all([startGumroadEmulator(),
      startSecretsEmulator({}, ["gumroad-auth0/local/gumroad"])]);
    folder = mkdtempSync(path.join(tmpdir(), "products-"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([shop.stop(), secrets.stop()]);
  });
  const stage = () =>
    localStage({ url: "http://127.0.0.1:9", auth0: { domain: "http://127.0.0.1:9", emulator: null },
      gumroad: { emulator: shop.url, readBack: false },
      sqs: { endpoint: "http://127.0.0.1:9", queues: { ProvisionQueue: "q", DeadLetterQueue: "d" } },
      dynamodb: { endpoint: "http://127.0.0.1:9", tables: { LedgerTable: "t", AccountsTable: "a" } },
      lambda: { endpoint: "http://127.0.0.1:1" }, secretsmanager: { endpoint: secrets.url }, access: "roles",
      gettingIn: "invite" }, Date.now);
  const run = (line: string, policy: Policy = none) =>
    cli(line, { openStage: async () => stage(), policy: async () => policy });

  it("prints a file that passes the type check and is a policy of all that is sold", async () => {
    const { code, out, err } = await run("products");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    // The check does see mistakes.
    expect(await typeErrorsIn(out, out.replace("roles:", "role:"))).toEqual([[], [expect.stringContaining("role")]]);
    expect([...policyIn(out).values()]).toEqual([
      { id: "zGyG_1JQunZuizwqd9CP7g==", name: "Serverless Handbook", roles: ["serverless-handbook"] },
      { id: "Z7kcrf7WgiSjiBnsGYi45w==", name: "React for Data Visualization",
        roles: ["react-for-data-visualization"] },
      { id: "wg2b8FhyMUKaJ6Eo3PrR5g==", name: "Pro Club", variant: "Tier",
        roles: { Basic: ["pro-club-basic"], Premium: ["pro-club-premium"] } },
      { id: "zdLk8Uz-AIidbazwzX2EkA==", name: "Everything Bundle",
        contains: ["zGyG_1JQunZuizwqd9CP7g==", "Z7kcrf7WgiSjiBnsGYi45w=="] },
      { id: "lnHn8l0Cn_FH_VuURa1aEw==", name: "Masterclass", roles: ["masterclass"] },
    ]);
  });

  it("writes the file where it is told to, not in a dry run, and says what is new", async () => {
    const file = path.join(folder, "products.ts");
    const known: Policy = new Map([...shopPolicy].filter(([id]) => id !== "lnHn8l0Cn_FH_VuURa1aEw=="));
    expect((await run(`products --out ${file} --dry-run`, known)).out).toMatch(/^would write \S+: new: Masterclass$/);
    expect(() => readFileSync(file)).toThrow();
    const { out } = await run(`products --out ${file} --json`, known);
    expect(JSON.parse(out)).toMatchObject({ out: file, dryRun: false, notSold: [] });
    expect(readFileSync(file, "utf8")).toBe(JSON.parse(out).file);
  });

  it("refuses to drop what the policy doesn't have, and says where the token comes from", async () => {
    expect(await run("products --drop=nobody")).toMatchObject({ code: 2,
      err: "gumroad-auth0: --drop nobody: the policy has no product of this id" });
    const deployed = { ...stage(), emulators: null };
    expect(await cli("products", { openStage: async () => deployed })).toMatchObject({ code: 1,
      err: "gumroad-auth0: the shop can't be read without an access token: npx gumroad-auth0 setup, or set " +
        "GUMROAD_ACCESS_TOKEN" });
    shop.addToken({ token: "mine", scopes: ["view_profile"], application: "mine" });
    const env = { GUMROAD_ACCESS_TOKEN: "mine" };
    expect((await cli("products --json", { openStage: async () => stage(), env })).code).toBe(0);
    shop.revokeToken(LOCAL_ACCESS_TOKEN);
    expect(await cli("products", { openStage: async () => stage() })).toMatchObject({ code: 1,
      err: expect.stringContaining("The access token in the secret gumroad is refused") });
  });
});
