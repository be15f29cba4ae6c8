// `npm run proof:policies`: the functions' roles, as serverless.yml renders, judged by somebody else's reading of IAM:
// every call that the code makes is allowed, and a list of calls that must not be made is denied.
import { functionNames } from "../scripts/bundling/bundle.ts";
import { callsOf } from "../tests/deploy/grants.ts";
import { renderTemplate } from "../tests/deploy/template.ts";
import { install } from "./install.ts";

install();
const { runSimulation } = await import("@cloud-copilot/iam-simulate");

const ACCOUNT = "123456789012";
const REGION = "eu-west-1";
const names = functionNames();
const { template } = await renderTemplate("dev");
const calls = await callsOf(names);

/** @param {string} id */
function arnOf(id) {
  const type = template.Resources[id]?.Type;
  switch (type) {
    case "AWS::SQS::Queue":
      return `arn:aws:sqs:${REGION}:${ACCOUNT}:${id}`;
    case "AWS::DynamoDB::Table":
      return `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${id}`;
    case "AWS::SecretsManager::Secret":
      return `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${id}-AbCdEf`;
    case "AWS::Logs::LogGroup":
      return `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${id}:*`;
    default:
      throw new Error(`What is the ARN of ${id}, ${String(type)}?`);
  }
}

/** The template's value with its references resolved. @param {unknown} value @returns {unknown} */
function resolved(value) {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== "object" || value === null) return value;
  if ("Ref" in value) return arnOf(String(value.Ref));
  if ("Fn::GetAtt" in value && Array.isArray(value["Fn::GetAtt"])) return arnOf(String(value["Fn::GetAtt"][0]));
  if ("Fn::Sub" in value) {
    return String(value["Fn::Sub"]).replaceAll(/\$\{(\w+)\.Arn\}/g, (_all, id) => arnOf(String(id)));
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]));
}

/**
 * Whether a function's role may do it.
 * @param {string} name
 * @param {string} action
 * @param {string} resource
 * @param {readonly string[]} leadingKeys of the items that a call to DynamoDB is about
 */
async function mayDo(name, action, resource, leadingKeys) {
  const id = `${name[0]?.toUpperCase() ?? ""}${name.slice(1)}Role`;
  const policies = template.Resources[id]?.Properties["Policies"];
  if (!Array.isArray(policies)) throw new Error(`${id} has no policies.`);
  const result = await runSimulation({
    request: { principal: `arn:aws:iam::${ACCOUNT}:role/${id}`, action, resource: { resource, accountId: ACCOUNT },
      contextVariables: leadingKeys.length === 0 ? {} : { "dynamodb:LeadingKeys": [...leadingKeys] } },
    identityPolicies: policies.map(({ PolicyName, PolicyDocument }) => ({ name: PolicyName,
      policy: resolved(PolicyDocument) })), serviceControlPolicies: [], resourceControlPolicies: [],
  }, {});
  if (result.resultType === "error") {
    throw new Error(`${name}: ${action} on ${resource}: ${JSON.stringify(result.errors)}`);
  }
  return result.overallResult === "Allowed";
}

/** @param {string} name @returns {readonly string[]} the tables, queues and secrets that its environment names */
function givenTo(name) {
  const id = `${name[0]?.toUpperCase() ?? ""}${name.slice(1)}LambdaFunction`;
  const text = JSON.stringify(template.Resources[id]?.Properties["Environment"] ?? {});
  return [...text.matchAll(/\{"Ref":"(\w+)"\}/g)].map(([, ref = ""]) => ref).filter((ref) => ref in template.Resources);
}

const SERVICES = { sqs: "AWS::SQS::Queue", dynamodb: "AWS::DynamoDB::Table",
  secretsmanager: "AWS::SecretsManager::Secret" };
/** Whose items a function's calls are about in the ledger, where its role says whose, and whose none is about. */
const KEYS = { reconcile: { own: "sweep#recent", others: "buyer#ann@example.com" },
  bind: { own: "buyer#ann@example.com", others: "source#sale:1" } };
for (const name of ["login", "verify", "claim"]) KEYS[name] = { own: "source#sale:1", others: "user#auth0|1" };
/** Of what a function is given, that on which it makes these calls only; it makes all of its own on the rest. */
const HERE_ONLY = [
  { who: ["login", "verify", "claim"], id: "LedgerTable", actions: ["dynamodb:GetItem"] },
  { who: ["provision"], id: "DeadLetterQueue", actions: ["sqs:SendMessage"] },
];
const isMadeOn = (name, action, id) =>
  HERE_ONLY.every(({ who, id: here, actions }) => !who.includes(name) || here !== id || actions.includes(action));
/** Nobody may, on anything. */
const NEVER = ["dynamodb:DeleteTable", "dynamodb:UpdateTable", "dynamodb:ExportTableToPointInTime", "sqs:DeleteQueue",
  "sqs:PurgeQueue", "sqs:SetQueueAttributes", "sqs:AddPermission", "secretsmanager:PutSecretValue",
  "secretsmanager:DeleteSecret", "secretsmanager:GetResourcePolicy"];
/** Only who is named may. */
const ONLY = [{ action: "dynamodb:Scan", who: ["provision", "reconcile"] },
  { action: "dynamodb:DeleteItem", who: ["provision"] },
  { action: "sqs:ReceiveMessage", who: ["provision"] }];

const faults = [];
const count = { allowed: 0, denied: 0 };
const ids = Object.keys(template.Resources).filter((id) =>
  Object.values(SERVICES).includes(template.Resources[id]?.Type ?? "")
);
const ofService = (action) => ids.filter((id) => template.Resources[id]?.Type === SERVICES[action.split(":")[0]]);

const keysOn = (name, id) => (id === "LedgerTable" && name in KEYS ? [KEYS[name].own] : []);
/** @param {boolean} isWanted @param {readonly string[]} keys */
async function judge(isWanted, name, action, arn, keys) {
  if ((await mayDo(name, action, arn, keys)) !== isWanted) {
    faults.push(`${name} ${isWanted ? "may not" : "may"} ${action} on ${arn} ${keys.join()}`);
  } else count[isWanted ? "allowed" : "denied"] += 1;
}

for (const name of names) {
  const given = givenTo(name);
  for (const action of calls.get(name) ?? []) {
    const targets = ofService(action).filter((id) => given.includes(id));
    if (!targets.some((id) => isMadeOn(name, action, id))) faults.push(`${name} calls ${action}, on nothing it is given`);
    for (const id of targets) {
      // Sweeps read what is due from its index, and the table itself by keys alone.
      const isOfIndex = name === "reconcile" && action === "dynamodb:Query";
      const arn = isOfIndex ? `${arnOf(id)}/index/due` : arnOf(id);
      await judge(isMadeOn(name, action, id), name, action, arn, keysOn(name, id));
      if (isOfIndex) await judge(false, name, action, arnOf(id), []);
      // Reads of reconcile are of anything; what the others read, and what it writes, is not.
      const isBound = id === "LedgerTable" && name in KEYS && (name !== "reconcile" || /Put|Update/.test(action));
      if (isBound && isMadeOn(name, action, id)) await judge(false, name, action, arn, [KEYS[name].others]);
    }
  }
  const forbidden = [
    ...NEVER.flatMap((action) => ofService(action).map((id) => ({ action, id }))),
    ...ONLY.flatMap(({ action, who }) => (who.includes(name) ? [] : ofService(action).map((id) => ({ action, id })))),
    // What it isn't given is none of its business.
    ...["secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage"].flatMap((action) =>
      ofService(action).filter((id) => !given.includes(id)).map((id) => ({ action, id }))
    ),
  ];
  for (const { action, id } of forbidden) await judge(false, name, action, arnOf(id), keysOn(name, id));
}
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(
  `${String(names.length)} roles: ${String(count.allowed)} calls allowed, ${String(count.denied)} denied, ${
    String(faults.length)
  } wrong\n`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
