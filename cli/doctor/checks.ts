import { scopesFor } from "../../tenant/scopes.ts";
import { type Auth0Credentials, auth0SecretShape } from "../../src/auth0/secret.ts";
import { tenantAdmin } from "../admin/tenant-admin.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { shopAdmin } from "../admin/shop-admin.ts";
import { countLedger } from "../operations/count-ledger.ts";
import { drifts } from "../operations/drift.ts";
import { once } from "../operations/operating.ts";
import { operatorAdmin } from "../stage/operator.ts";
import { LOCAL } from "../stage/stage.ts";
import { readStored, SECRET_NAMES, type SecretName, type StoredSecret } from "../stage/secrets.ts";

import { type Check, limit, NotChecked, type Patient } from "./finding.ts";
import { connectionFindings, connectionOf, credentialFindings, roleFindings, rolesThere,
  scopeFindings } from "./auth0.ts";
import { contentsFindings, productFindings, sellerFindings, tokenFindings, trustFindings } from "./gumroad.ts";
import { deadLetterFindings, pingPlanFindings, pingUrlFindings, plans } from "./pings.ts";
import { driftFindings, ledgerFindings } from "./ledger.ts";
import { deployLine } from "./ledger-words.ts";
import { forgetFindings, secretFindings } from "./secrets.ts";

/** Buyers who are compared with Auth0 unless all are asked for: some 25 seconds on its free plan. */
const SOME = 50;

/** Everything that is looked at, in the order of the report. */
export function checksOf(patient: Patient): readonly Check[] {
  const { policy, operator, operating } = patient;
  const { stage, commandLine } = operating;
  const setup = commandLine("setup");
  const deploy = deployLine(stage.name);
  const thenDeploy = (command: string): string => (stage.name === LOCAL ? command : `${command} && ${deploy}`);

  const secrets = new Map(SECRET_NAMES.map((name) => [name, once(() => readStored(stage, name))]));
  const stored = async (name: SecretName): Promise<StoredSecret> =>
    (await secrets.get(name)?.()) ?? { state: "absent" };

  const service = once(async (): Promise<Auth0Credentials> => auth0SecretShape.parse(await goodValue("auth0")));
  const own = once(async () => {
    const client = tenantAdmin(await service());
    return { client, scopes: await client.scopes(limit()) };
  });
  const admin = once(async () => operatorAdmin(operator, stage, await service()));
  const shop = once(async () => {
    const { api, token } = gumroadSecretShape.parse(await goodValue("gumroad"));
    const client = shopAdmin({ api, token });
    return { client, sellerId: await client.sellerId(limit()) };
  });
  const ledger = once(() => countLedger(operating));
  const products = once(async () => (await working(shop)).client.products(limit()));

  async function goodValue(name: SecretName): Promise<unknown> {
    const secret = await stored(name);
    if (secret.state !== "good") throw new NotChecked(`the secret ${name} isn't filled`);
    return secret.value;
  }

  /** What another check is about: only that one tells what is wrong with it. */
  async function working<T>(base: () => Promise<T>): Promise<T> {
    try {
      return await base();
    } catch (error) {
      throw error instanceof NotChecked
        ? error
        : new NotChecked(error instanceof Error ? error.message : String(error));
    }
  }

  const secretChecks = SECRET_NAMES.map((name): Check => ({ name: `secret ${name}`,
    run: async () => secretFindings(stage, name, await stored(name), { setup, deploy }) })
  );
  return [
    ...secretChecks,
    { name: "trust", run: async () => trustFindings(await stored("gumroad"), setup) },
    { name: "secret forget", run: () => forgetFindings(stage) },
    { name: "Auth0 credentials", run: () => credentialFindings(own, setup) },
    { name: "Auth0 scopes",
      run: async () => scopeFindings((await working(own)).scopes, scopesFor(stage.access), setup) },
    // Kept in app_metadata, roles are names and nothing else.
    ...(stage.access === "roles"
      ? [{ name: "Auth0 roles", run: async () =>
        roleFindings(await rolesThere(await working(own), await admin()), policy, setup) }]
      : []),
    { name: "Auth0 connection",
      run: async () =>
        connectionFindings(connectionOf(stage, await working(service)), (await working(own)) && (await admin()),
          setup) },
    { name: "Gumroad token", run: () => tokenFindings(shop, setup) },
    { name: "seller_id",
      run: async () =>
        sellerFindings((await working(shop)).sellerId, await stored("ping"), await stored("gumroad"), setup) },
    { name: "Gumroad pings",
      run: async () =>
        pingPlanFindings(await plans((await working(shop)).client, stage, await goodValue("ping")), setup) },
    { name: "ping URL", run: async () => pingUrlFindings(operating, await goodValue("ping"), deploy) },
    { name: "dead letters", run: () => deadLetterFindings(stage, commandLine("replay --dead-letters")) },
    { name: "products",
      run: async () =>
        productFindings((await working(shop)).client, await working(products), policy, (command) =>
          thenDeploy(commandLine(command))) },
    { name: "options and bundles", run: async () =>
      // What somebody bought already is told with the buyers.
      contentsFindings(await working(products), policy, (await ledger()).findings, commandLine("products")) },
    { name: "buyers", run: async () => ledgerFindings((await ledger()).findings, stage.name, commandLine) },
    { name: patient.deep ? "Auth0 and all buyers" : `Auth0 and up to ${String(SOME)} buyers`, run: async () => {
      await working(own);
      const most = patient.deep ? null : SOME;
      const { buyers: records } = await working(ledger);
      return driftFindings(await drifts({ most, records }, operating), commandLine("sync --drift"));
    } },
  ];
}
