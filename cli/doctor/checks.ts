import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";

import { type Policy, roleNames } from "../../src/access/policy.ts";
import { scopesFor } from "../../tenant/scopes.ts";
import { type Auth0Credentials, auth0SecretShape } from "../../src/auth0/secret.ts";
import { tenantAdmin, type TenantAdmin } from "../admin/tenant-admin.ts";
import { NeedsPersonError } from "../../src/errors.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { type ShopAdmin, shopAdmin, type ShopProduct } from "../admin/shop-admin.ts";
import { storedKey } from "../forget/key.ts";
import { NEEDS_ADMIN, operatorAdmin, type OperatorFlags } from "../operator.ts";
import { pingUrl, withoutToken } from "../ping-url.ts";
import { keptOf, tokensOf } from "../setup/values.ts";
import { LOCAL, type Stage } from "../stage/stage.ts";
import { readStored, SECRET_NAMES, type SecretName, secretName, type StoredSecret } from "../stage/secrets.ts";
import { type EventPlan, planSubscriptions } from "../subscription-plan.ts";
import { sendTestPing } from "../test-ping.ts";

/** Something that is wrong, or will be. */
export interface Finding {
  /** Stable, in capitals. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** The command that mends it. */
  readonly mend: string;
}

/** One thing that is looked at, on its own: what goes wrong in one hides nothing of the others. */
export interface Check {
  readonly name: string;
  /** Throws {@link NotChecked}, or whatever kept it from looking. */
  readonly run: () => Promise<readonly Finding[]>;
}

/** A check can't look, because of what another one finds, or for want of rights. */
export class NotChecked extends Error {}

/** What is checked, and with what. */
export interface Patient {
  readonly stage: Stage;
  readonly policy: Policy;
  readonly flags: OperatorFlags;
  readonly env: NodeJS.ProcessEnv;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** A command of this program as somebody would type it. */
  readonly commandLine: (command: string) => string;
}

const LIMIT_MS = 60_000;
const limit = (): AbortSignal => AbortSignal.timeout(LIMIT_MS);

/** Everything that is looked at, in the order of the report. */
export function checksOf(patient: Patient): readonly Check[] {
  const { stage, policy, flags, env, commandLine } = patient;
  const setup = commandLine("setup");
  const deploy = stage.name === LOCAL ? "npm start" : `npm run deploy -- --stage ${stage.name}`;
  const thenDeploy = (command: string): string => (stage.name === LOCAL ? command : `${command} && ${deploy}`);

  const secrets = new Map(SECRET_NAMES.map((name) => [name, once(() => readStored(stage, name))]));
  const stored = async (name: SecretName): Promise<StoredSecret> =>
    (await secrets.get(name)?.()) ?? { state: "absent" };

  const service = once(async (): Promise<Auth0Credentials> => auth0SecretShape.parse(await goodValue("auth0")));
  const own = once(async () => {
    const client = tenantAdmin(await service());
    return { client, scopes: await client.scopes(limit()) };
  });
  const admin = once(async () => operatorAdmin(flags, stage, env, await service()));
  const shop = once(async () => {
    const { api, token } = gumroadSecretShape.parse(await goodValue("gumroad"));
    const client = shopAdmin({ api, token });
    return { client, sellerId: await client.sellerId(limit()) };
  });
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
    { name: "secret forget", run: () => forgetFindings(stage) },
    { name: "Auth0 credentials", run: () => credentialFindings(own, setup) },
    { name: "Auth0 scopes",
      run: async () => scopeFindings((await working(own)).scopes, scopesFor(stage.access), setup) },
    // Kept in app_metadata, roles are names and nothing else.
    ...(stage.access === "roles"
      ? [{ name: "Auth0 roles",
        run: async () => roleFindings(await rolesThere(await working(own), await admin()), policy, setup) }]
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
    { name: "ping URL", run: async () => pingUrlFindings(patient, await goodValue("ping"), deploy) },
    { name: "dead letters", run: () => deadLetterFindings(stage, commandLine("replay --dead-letters")) },
    { name: "products",
      run: async () =>
        productFindings((await working(shop)).client, await working(products), policy, (command) =>
          thenDeploy(commandLine(command))) },
  ];
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function secretFindings(stage: Stage, name: SecretName, secret: StoredSecret,
  { setup, deploy }: { readonly setup: string; readonly deploy: string }): readonly Finding[] {
  const full = secretName(stage, name);
  switch (secret.state) {
    case "absent":
      return [{ code: "SECRET_ABSENT",
        message: `The stage has no secret ${full}: it was deployed before there was one.`, mend: deploy }];
    case "empty":
      return [{ code: "SECRET_MISSING", message: `The secret ${full} has no value.`, mend: setup }];
    case "broken":
      return [{ code: "SECRET_INCOMPLETE", message: `The secret ${full} can't be used: ${secret.problem}.`,
        mend: setup }];
    case "good":
      return [];
  }
}

type OwnAccess = { readonly client: TenantAdmin; readonly scopes: readonly string[] };

async function credentialFindings(own: () => Promise<OwnAccess>, setup: string): Promise<readonly Finding[]> {
  return refusalAs(own, { AUTH0_CREDENTIALS: "AUTH0_CREDENTIALS" }, setup);
}

async function tokenFindings(shop: () => Promise<{ readonly client: ShopAdmin }>,
  setup: string): Promise<readonly Finding[]> {
  // `/user` takes any token; what is registered shows only to one with view_sales.
  const reads = async (): Promise<unknown> => (await shop()).client.subscriptions("sale", limit());
  return refusalAs(reads, { GUMROAD_TOKEN: "GUMROAD_TOKEN", GUMROAD_SCOPE: "GUMROAD_SCOPE" }, setup);
}

/** A refusal of these codes is a finding; anything else goes on. */
async function refusalAs(call: () => Promise<unknown>, codes: Readonly<Record<string, string>>,
  mend: string): Promise<readonly Finding[]> {
  try {
    await call();
    return [];
  } catch (error) {
    const code = error instanceof NeedsPersonError ? codes[error.code] : undefined;
    if (code === undefined || !(error instanceof Error)) throw error;
    return [{ code, message: error.message, mend }];
  }
}

/**
 * Left empty, nobody was forgotten. A broken one fails every message, and another key would bring forgotten people
 * back.
 */
async function forgetFindings(stage: Stage): Promise<readonly Finding[]> {
  try {
    await storedKey(stage);
    return [];
  } catch (error) {
    if (!(error instanceof NeedsPersonError)) throw error;
    const mend =
      `aws secretsmanager get-secret-value --secret-id gumroad-auth0/${stage.name}/forget --version-stage AWSPREVIOUS`;
    return [{ code: "SECRET_INCOMPLETE", message: `${error.message}.`, mend }];
  }
}

function scopeFindings(granted: readonly string[], needed: readonly string[], setup: string): readonly Finding[] {
  const few = needed.filter((scope) => !granted.includes(scope));
  const many = granted.filter((scope) => !needed.includes(scope));
  return [
    ...few.map((scope): Finding => ({ code: "AUTH0_SCOPE_MISSING",
      message: `The service's Auth0 application lacks the scope ${scope}, so some of its calls are refused.`,
      mend: setup })
    ),
    ...many.map((scope): Finding => ({ code: "AUTH0_SCOPE_EXCESS",
      message:
        `The service's Auth0 application has the scope ${scope}, which it never uses: whoever steals its secret ` +
        "could.", mend: setup })
    ),
  ];
}

async function rolesThere(own: OwnAccess, admin: TenantAdmin | null): Promise<readonly string[]> {
  const client = own.scopes.includes("read:roles") ? own.client : admin;
  if (client === null) throw new NotChecked("the scope read:roles is missing");
  return client.roleNames(limit());
}

function roleFindings(there: readonly string[], policy: Policy, setup: string): readonly Finding[] {
  const missing = roleNames(policy).filter((name) => !there.includes(name));
  return missing.map((name) => ({ code: "AUTH0_ROLE_MISSING",
    message: `The policy gives the role ${name}, which the Auth0 tenant doesn't have.`, mend: setup })
  );
}

/** The connection in which the stage creates users. */
function connectionOf({ gettingIn }: Stage, { connection, passwordlessConnection, clientId }: Auth0Credentials) {
  return { name: gettingIn === "passwordless" ? passwordlessConnection : connection, clientId };
}

async function connectionFindings({ name, clientId }: { readonly name: string; readonly clientId: string },
  admin: TenantAdmin | null, setup: string): Promise<readonly Finding[]> {
  if (admin === null) throw new NotChecked(`the service's own application may not see connections: ${NEEDS_ADMIN}`);
  const connection = await admin.connection(name, clientId, limit());
  if (connection === null) {
    return [{ code: "AUTH0_CONNECTION_MISSING",
      message: `The Auth0 tenant has no connection ${name}, in which new buyers are created.`,
      mend: `${setup} --auth0-connection NAME` }];
  }
  if (connection.enabled) return [];
  return [{ code: "AUTH0_CONNECTION_DISABLED",
    message: `The connection ${name} is not enabled for the service's application, so no new buyer can be created.`,
    mend: setup }];
}

function sellerFindings(sellerId: string, ping: StoredSecret, gumroad: StoredSecret,
  setup: string): readonly Finding[] {
  const wrong = Object.entries({ ping, gumroad }).filter(([, secret]) =>
    secret.state === "good" && keptOf(secret)["seller_id"] !== sellerId
  );
  return wrong.map(([name]) => ({
    code: "SELLER_WRONG",
    message: `The seller_id in the secret ${name} is not that of the shop whose token this is (${sellerId}), so its ${
      name === "ping" ? "pings are refused" : "purchases can't be read back"
    }.`,
    mend: setup,
  }));
}

async function plans(shop: ShopAdmin, stage: Stage, ping: unknown): Promise<readonly EventPlan[]> {
  try {
    return await planSubscriptions(shop, stage, tokensIn(ping), limit());
  } catch (error) {
    // Told by the check of the token.
    if (error instanceof NeedsPersonError && (error.code === "GUMROAD_SCOPE" || error.code === "GUMROAD_TOKEN")) {
      throw new NotChecked(error.message);
    }
    throw error;
  }
}

function pingPlanFindings(eventPlans: readonly EventPlan[], setup: string): readonly Finding[] {
  return eventPlans.flatMap(({ event, right, doubled, wrong }): Finding[] => [
    ...(right === null
      ? [{ code: "SUBSCRIPTION_MISSING", message: `Gumroad doesn't send ${event} to this stage.`, mend: setup }]
      : []),
    ...(doubled.length > 0
      ? [{ code: "SUBSCRIPTION_DOUBLED", message: `Gumroad sends each ${event} ${String(doubled.length + 1)} times.`,
        mend: setup }]
      : []),
    ...wrong.map(({ postUrl }) => ({ code: "SUBSCRIPTION_WRONG",
      message: `Gumroad sends ${event} to ${withoutToken(postUrl)} with a token that is refused.`, mend: setup })
    ),
  ]);
}

async function pingUrlFindings({ stage, wait }: Patient, ping: unknown, deploy: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const logs = stage.name === LOCAL
    ? "tail .local/functions.log"
    : `aws logs tail /aws/lambda/gumroad-auth0-${stage.name}-ping --since 10m`;
  for (const [place, token] of tokensIn(ping).entries()) {
    const outcome = await sendTestPing(pingUrl(stage, token), wait);
    const which = place === 0 ? "the ping token" : `the ${String(place + 1)}. ping token`;
    if (outcome === "taken") continue;
    if (outcome === "refused") {
      findings.push({ code: "PING_REFUSED",
        message:
          `${stage.pingAddress} refuses ${which} of the secret ping: the running functions read another secret.`,
        mend: deploy });
    } else if (typeof outcome === "number") {
      findings.push({ code: "PING_FAILED",
        message: `${stage.pingAddress} answers a test ping with ${String(outcome)}.`, mend: logs });
    } else {return [{ code: "PING_UNREACHABLE", message: `Nothing answers at ${stage.pingAddress} (${outcome.why}).`,
        mend: deploy }];}
  }
  return findings;
}

async function deadLetterFindings({ sqs, deadLetters }: Stage, mend: string): Promise<readonly Finding[]> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] }),
  );
  const count = Object.values(Attributes).reduce((sum, part) => sum + Number(part), 0);
  if (count === 0) return [];
  return [{ code: "DEAD_LETTERS",
    message: `${
      count === 1 ? "A message waits" : `${String(count)} messages wait`
    } in the dead-letter queue for somebody to look at.`, mend }];
}

async function productFindings(shop: ShopAdmin, sold: readonly ShopProduct[], policy: Policy,
  command: (text: string) => string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { id, name } of policy.values()) {
    // One that was deleted has buyers still; one that never was is a typing mistake.
    if (sold.some((product) => product.id === id) || (await shop.hasProduct(id, limit()))) continue;
    findings.push({ code: "PRODUCT_UNKNOWN",
      message: `The policy's product ${name} (${id}) is not one of this shop's.`,
      mend: command(`products --drop=${id} --out src/products.ts`) });
  }
  for (const { id, name } of sold) {
    if (!policy.has(id)) {
      findings.push({ code: "PRODUCT_NOT_IN_POLICY",
        message: `The shop sells ${name} (${id}), and the policy gives nothing for it.`,
        mend: command("products --out src/products.ts") });
    }
  }
  return findings;
}

function tokensIn(ping: unknown): readonly string[] {
  return tokensOf(typeof ping === "object" && ping !== null ? Object.fromEntries(Object.entries(ping)) : {});
}
