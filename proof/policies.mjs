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
/** Whose items each function may write where its role says so: sweeps write down how far they are, and nothing else. */
const OWN_KEYS = { reconcile: ["sweep#recent"] };
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

for (const name of names) {
  const keys = OWN_KEYS[name] ?? [];
  const given = givenTo(name);
  for (const action of calls.get(name) ?? []) {
    // A query may be of an index; each call has to be allowed on one of what the function is given.
    const targets = ofService(action).filter((id) => given.includes(id)).flatMap((id) =>
      action === "dynamodb:Query" ? [arnOf(id), `${arnOf(id)}/index/due`] : [arnOf(id)]
    );
    const allowed = await Promise.all(targets.map((arn) => mayDo(name, action, arn, keys)));
    if (allowed.includes(true)) count.allowed += 1;
    else faults.push(`${name} calls ${action}, and may not`);
  }
  const forbidden = [
    ...NEVER.flatMap((action) => ofService(action).map((id) => ({ action, id }))),
    ...ONLY.flatMap(({ action, who }) => (who.includes(name) ? [] : ofService(action).map((id) => ({ action, id })))),
    // What it isn't given is none of its business.
    ...["secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage"].flatMap((action) =>
      ofService(action).filter((id) => !given.includes(id)).map((id) => ({ action, id }))
    ),
  ];
  for (const { action, id } of forbidden) {
    if (await mayDo(name, action, arnOf(id), keys)) faults.push(`${name} may ${action} on ${id}, and must not`);
    else count.denied += 1;
  }
}
// The condition on the sweeps' keys, from both sides.
for (const action of ["dynamodb:PutItem", "dynamodb:UpdateItem"]) {
  if (await mayDo("reconcile", action, arnOf("LedgerTable"), ["buyer#ann@example.com"])) {
    faults.push(`reconcile may ${action} a buyer's record, and must not`);
  } else count.denied += 1;
}
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(
  `${String(names.length)} roles: ${String(count.allowed)} calls allowed, ${String(count.denied)} denied, ${
    String(faults.length)
  } wrong\n`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
