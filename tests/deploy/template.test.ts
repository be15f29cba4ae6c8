import { readFileSync } from "node:fs";

import { loadAwsServiceSpec } from "@aws-cdk/aws-service-spec";
import { describe, expect, it } from "@jest/globals";
import * as z from "zod";

import { functionNames } from "../../scripts/bundling/bundle.ts";
import { callsOf, grantFaults } from "./grants.ts";
import { faultsOf } from "./resource-schema.ts";
import { securityRules, withoutStage } from "./security-rules.ts";
import { at, listOf, ofType, renderTemplate, withValue } from "./template.ts";
import type { Template } from "./template.ts";

const widgetShape = z.object({ type: z.literal("metric"),
  properties: z.object({ title: z.string(), region: z.string(), metrics: z.array(z.array(z.unknown())) }) });
const dashboardShape = z.object({ widgets: z.array(widgetShape) });
const { template, zips } = await renderTemplate("prod", ["alarmEmail=you@example.com"]);
const calls = await callsOf(functionNames());
const spec = await loadAwsServiceSpec();
const role = (name: string, statement: number,
  ...rest: (string | number)[]) => ["Resources", `${name}Role`, "Properties", "Policies", 0, "PolicyDocument",
  "Statement", statement, ...rest];
const property = (id: string, ...keys: (string | number)[]) => ["Resources", id, "Properties", ...keys];

describe("the rendered template", () => {
  it("has nothing that AWS's resource schemas refuse", () => {
    expect(faultsOf(template, spec)).toEqual([]);
  });

  it("has the stage in every name", () => {
    expect(withoutStage(template, "prod")).toEqual([]);
  });

  it("is told apart by that rule from one with a name without its stage", () => {
    expect(withoutStage(withValue(template, property("LedgerTable", "TableName"), "gumroad-auth0-ledger"), "prod"))
      .toEqual(['LedgerTable: "gumroad-auth0-ledger" holds no prod']);
  });

  it("packs each function's bundle, and nothing else", () => {
    expect(zips).toEqual(Object.fromEntries(functionNames().map((name) => [name, [`.build/${name}.mjs`]])));
    for (const [id, { Properties }] of ofType(template, "AWS::Lambda::Function")) {
      const name = id.replace(/LambdaFunction$/, "").toLowerCase();
      expect(Properties["Handler"]).toBe(`.build/${name}.handler`);
    }
  });

  it("serves the two ping routes", () => {
    expect(ofType(template, "AWS::ApiGatewayV2::Route").map(([, { Properties }]) => Properties["RouteKey"])).toEqual(
      expect.arrayContaining(["POST /ping/{token+}", "POST /ping"]),
    );
    expect(at(template.Resources, "HttpApiStage", "Properties", "StageName")).toBe("$default");
  });

  it("serves the self-built login, and lets a page of the allowed origins call it with a token", () => {
    expect(ofType(template, "AWS::ApiGatewayV2::Route").map(([, { Properties }]) => Properties["RouteKey"])).toEqual(
      expect.arrayContaining(["POST /login", "POST /password", "POST /verify", "GET /private", "GET /private/{role}"]),
    );
    expect(at(template.Resources, "HttpApi", "Properties", "CorsConfiguration")).toMatchObject({
      AllowOrigins: ["https://courses.example.com"],
      AllowHeaders: expect.arrayContaining(["authorization", "content-type"]),
      AllowMethods: ["GET", "POST"],
    });
    expect(at(template.Resources, "HttpApi", "Properties", "CorsConfiguration", "AllowCredentials")).toBeFalsy();
  });

  it("sets no concurrency aside but for ping, and that only where it is asked to: an account has none to give", () => {
    expect(
      ofType(template, "AWS::Lambda::Function").filter(([, { Properties }]) =>
        "ReservedConcurrentExecutions" in Properties
      ).map(([id, { Properties }]) => [id, Properties["ReservedConcurrentExecutions"]]),
    ).toEqual([["PingLambdaFunction", { "Fn::If": ["GuaranteesPing", "", { Ref: "AWS::NoValue" }] }]]);
    expect(template.Conditions["GuaranteesPing"]).toEqual({ "Fn::Not": [{ "Fn::Equals": ["", ""] }] });
  });

  it.each(["AccountsTable", "LedgerTable"])("lets what was only counted end by itself: %s", (table) => {
    expect(at(template.Resources, table, "Properties", "TimeToLiveSpecification")).toEqual({
      AttributeName: "expiresAt",
      Enabled: true,
    });
  });

  it("lets no more claims wait for their answer, 3 s each, than a new account's 10 at once", () => {
    const limits = z.object({ ThrottlingRateLimit: z.number(), ThrottlingBurstLimit: z.number() }).parse(
      at(template, ...property("HttpApiStage", "RouteSettings", "POST /claim")),
    );
    expect(limits.ThrottlingBurstLimit + 3 * limits.ThrottlingRateLimit).toBeLessThanOrEqual(10);
  });

  it("lets reconcile write its own items of the ledger, and no buyer's record", () => {
    const statements = listOf(
      at(template.Resources, "ReconcileRole", "Properties", "Policies", 0, "PolicyDocument", "Statement"),
    );
    const writing = statements.filter((statement) =>
      /PutItem|UpdateItem|DeleteItem/.test(JSON.stringify(at(statement, "Action")))
    );
    expect(writing.map((statement) => at(statement, "Condition"))).toEqual([{
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["sweep#*", "holders#*"] },
    }]);
  });

  it.each([["NeedsPerson", 1], ["DeadLettered", 1], ["GumroadFailed", 3], ["Held", 1], ["UnsettledLong", 1], [
    "SaleUntold",
    1,
  ]])("has an alarm at the first %s that the functions count, once it comes in as many periods as %s",
    (metric, periods) => {
      const alarms = ofType(template, "AWS::CloudWatch::Alarm").filter(([, { Properties }]) =>
        Properties["MetricName"] === metric
      );
      expect(alarms.map(([, { Properties }]) => Properties)).toMatchObject([
        { Namespace: "gumroad-auth0", Dimensions: [{ Name: "service", Value: "gumroad-auth0-prod" }], Statistic: "Sum",
          EvaluationPeriods: periods, Threshold: 1 },
      ]);
    });

  it("shows a day at a glance on its dashboard: valid JSON, with what the functions count", () => {
    const body = at(template.Resources, "Dashboard", "Properties", "DashboardBody", "Fn::Sub");
    const { widgets } = dashboardShape.parse(JSON.parse(String(body)));
    expect(widgets.map(({ properties }) => properties.title)).toHaveLength(6);
    for (const metric of ["Received", "Applied", "Waiting", "Held", "SecondsToAccess", "FailedByCause", "Auth0Calls",
      "Throttled", "GumroadFailed"]) expect(body).toContain(metric);
  });

  it("has an entry in the runbook for each alarm, and no entry for another", () => {
    const alarms = ofType(template, "AWS::CloudWatch::Alarm").map(([, { Properties }]) =>
      String(Properties["AlarmName"]).replace("gumroad-auth0-prod-", "")
    );
    const entries = [...readFileSync("docs/runbook.md", "utf8").matchAll(/^### (.*)$/gm)].flatMap(([, names = ""]) =>
      [...names.matchAll(/`([\w-]+)`/g)].map(([, name]) => name)
    );
    expect(entries.sort()).toEqual(alarms.sort());
  });

  it("gives no function the role that serverless makes when one has none", () => {
    expect(template.Resources).not.toHaveProperty("IamRoleLambdaExecution");
  });

  it("mails alarms to the address it is given, if it is given one", () => {
    expect(template.Resources["AlarmEmail"]).toMatchObject({ Condition: "HasAlarmEmail",
      Properties: { Protocol: "email", Endpoint: "you@example.com" } });
    expect(template.Conditions["HasAlarmEmail"]).toEqual({ "Fn::Not": [{ "Fn::Equals": ["you@example.com", ""] }] });
  });

  it("gives the URL to paste into Gumroad, without a token", () => {
    expect(at(template.Outputs, "PingUrl", "Value", "Fn::Sub")).toBe(
      "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/ping",
    );
  });

  it("lets each function make the calls that its code makes, and no others", () => {
    expect([...calls.keys()]).toEqual(functionNames());
    expect(grantFaults(template, calls)).toEqual([]);
  });

  it.each([
    { case: "a call that was added", name: "bind",
      calls: ["dynamodb:GetItem", "dynamodb:PutItem", "secretsmanager:GetSecretValue", "sqs:SendMessage"],
      fault: "bind: calls dynamodb:PutItem, and may not" },
    { case: "a grant that is left over", name: "ping", calls: ["secretsmanager:GetSecretValue"],
      fault: "ping: may sqs:SendMessage, and never calls it" },
  ])("is told apart from one with $case", ({ name, calls: made, fault }) => {
    expect(grantFaults(template, new Map([...calls, [name, made]]))).toEqual([fault]);
  });

  it.each([
    { case: "somebody else's table", place: role("Bind", 2, "Resource"),
      value: { "Fn::GetAtt": ["AccountsTable", "Arn"] },
      faults: ["bind: may reach AccountsTable, and isn't given it",
        "bind: is given LedgerTable, and may not reach it"] },
    { case: "no way to poll its queue", place: role("Provision", 3, "Action"), value: ["sqs:ChangeMessageVisibility"],
      faults: ["provision: calls sqs:ReceiveMessage, and may not", "provision: calls sqs:DeleteMessage, and may not",
        "provision: calls sqs:GetQueueAttributes, and may not"] },
  ])("is told apart from one with a role that has $case", ({ place, value, faults }) => {
    expect(grantFaults(withValue(template, place, value), calls)).toEqual(faults);
  });
});

/** Each breaks one rule, so that a rule that sees nothing is seen. */
const brokenTemplates: { rule: keyof typeof securityRules; broken: Template; found: string }[] = [
  { rule: "queues take calls over TLS alone",
    broken: withValue(template, ["Resources", "ProvisionQueuePolicy"], undefined), found: "ProvisionQueue" },
  { rule: "queues take calls over TLS alone",
    broken: withValue(template, property("DeadLetterQueuePolicy", "PolicyDocument", "Statement", 0, "Effect"),
      "Allow"), found: "DeadLetterQueue" },
  { rule: "the deployment bucket takes calls over TLS alone",
    broken: withValue(template, ["Resources", "ServerlessDeploymentBucketPolicy"], undefined),
    found: "ServerlessDeploymentBucket" },
  { rule: "topics take calls over TLS alone",
    broken: withValue(template, property("AlarmTopicPolicy", "PolicyDocument", "Statement", 1), undefined),
    found: "AlarmTopic" },
  { rule: "queues are encrypted",
    broken: withValue(template, property("DeadLetterQueue", "SqsManagedSseEnabled"), false),
    found: "DeadLetterQueue" },
  { rule: "tables are encrypted", broken: withValue(template, property("LedgerTable", "SSESpecification"), undefined),
    found: "LedgerTable" },
  { rule: "the deployment bucket is encrypted and private",
    broken: withValue(template, property("ServerlessDeploymentBucket", "PublicAccessBlockConfiguration"), undefined),
    found: "ServerlessDeploymentBucket" },
  { rule: "CloudWatch may publish to the topics",
    broken: withValue(template, property("AlarmTopic", "KmsMasterKeyId"), "alias/aws/sns"), found: "AlarmTopic" },
  { rule: "CloudWatch may publish to the topics",
    broken: withValue(template, property("AlarmTopicPolicy", "PolicyDocument", "Statement", 0), undefined),
    found: "AlarmTopic" },
  { rule: "tables can be restored to any point in time",
    broken: withValue(template, property("LedgerTable", "PointInTimeRecoverySpecification"), undefined),
    found: "LedgerTable" },
  { rule: "tables are protected from deletion",
    broken: withValue(template, property("LedgerTable", "DeletionProtectionEnabled"), false), found: "LedgerTable" },
  { rule: "tables, queues and secrets outlive the stack",
    broken: withValue(template, ["Resources", "PingSecret", "DeletionPolicy"], "Delete"), found: "PingSecret" },
  { rule: "tables, queues and secrets outlive the stack",
    broken: withValue(template, ["Resources", "ProvisionQueue", "UpdateReplacePolicy"], undefined),
    found: "ProvisionQueue" },
  { rule: "no role has a wildcard in an action or a resource",
    broken: withValue(template, role("Provision", 2, "Action"), ["dynamodb:*"]), found: "ProvisionRole" },
  { rule: "no role has a wildcard in an action or a resource",
    broken: withValue(template, role("Ping", 2, "Resource"), "*"), found: "PingRole" },
  { rule: "no role has a wildcard in an action or a resource",
    broken: withValue(template, role("Reconcile", 1, "Resource"), { "Fn::Sub": "${LedgerTable.Arn}/index/*" }),
    found: "ReconcileRole" },
  { rule: "no role has a wildcard in an action or a resource",
    broken: withValue(template, property("PingRole", "ManagedPolicyArns"), ["arn:aws:iam::aws:policy/X"]),
    found: "PingRole" },
  { rule: "no role has a negated action or resource",
    broken: withValue(template, role("Ping", 1, "NotAction"), ["iam:PassRole"]), found: "PingRole" },
  { rule: "permissions stand in the roles alone",
    broken: withValue(template, ["Resources", "Extra"], { Type: "AWS::IAM::Policy", Properties: {} }),
    found: "Extra" },
  { rule: "no queue, topic or bucket lets strangers in",
    broken: withValue(template, property("ProvisionQueuePolicy", "PolicyDocument", "Statement", 0, "Effect"), "Allow"),
    found: "ProvisionQueuePolicy" },
  { rule: "each function has a role of its own",
    broken: withValue(template, property("ReconcileLambdaFunction", "Role"), {
      "Fn::GetAtt": ["ProvisionRole", "Arn"],
    }), found: "ProvisionLambdaFunction" },
  { rule: "each function has a role of its own",
    broken: withValue(template, property("PingLambdaFunction", "Role"), "arn:aws:iam::1:role/admin"),
    found: "PingLambdaFunction" },
  { rule: "only Lambda may take a role",
    broken: withValue(template, property("PingRole", "AssumeRolePolicyDocument", "Statement", 0, "Principal"), {
      AWS: "*",
    }), found: "PingRole" },
  { rule: "each function reads only its own secrets",
    broken: withValue(template, role("Ping", 1, "Resource"), [{ Ref: "PingSecret" }, { Ref: "Auth0Secret" }]),
    found: "PingLambdaFunction" },
  { rule: "each function reads only its own secrets", broken: withValue(template, role("Provision", 1), undefined),
    found: "ProvisionLambdaFunction" },
  { rule: "each function writes to its own log alone",
    broken: withValue(template, role("Ping", 0, "Resource"), { "Fn::GetAtt": ["ProvisionLogGroup", "Arn"] }),
    found: "PingLambdaFunction" },
  { rule: "secrets have no value in the template",
    broken: withValue(template, property("PingSecret", "SecretString"), "{}"), found: "PingSecret" },
  { rule: "no secret is in an environment variable",
    broken: withValue(template, property("PingLambdaFunction", "Environment", "Variables", "PING_TOKEN"), "s3cret"),
    found: "PingLambdaFunction" },
  { rule: "no secret is in an environment variable",
    broken: withValue(template, property("PingLambdaFunction", "Environment", "Variables", "SELLER"),
      "{{resolve:secretsmanager:gumroad-auth0/prod/ping}}"), found: "PingLambdaFunction" },
  { rule: "every log is kept for 30 days",
    broken: withValue(template, property("HttpApiLogGroup", "RetentionInDays"), undefined), found: "HttpApiLogGroup" },
  { rule: "every log is kept for 30 days", broken: withValue(template, ["Resources", "ProvisionLogGroup"], undefined),
    found: "ProvisionLambdaFunction" },
  { rule: "the access log is JSON of harmless fields, without the path",
    broken: withValue(template, property("HttpApiStage", "AccessLogSettings", "Format"), '{"path":"$context.path"}'),
    found: "HttpApiStage" },
  { rule: "the access log is JSON of harmless fields, without the path",
    broken: withValue(template, property("HttpApiStage", "AccessLogSettings"), undefined), found: "HttpApiStage" },
  { rule: "every route but ping's is throttled",
    broken: withValue(template, property("HttpApiStage", "DefaultRouteSettings", "ThrottlingRateLimit"), 10),
    found: "HttpApiStage" },
  { rule: "every route but ping's is throttled",
    broken: withValue(template, property("HttpApiStage", "RouteSettings", "POST /ping"), { ThrottlingBurstLimit: 5 }),
    found: "HttpApiStage" },
  { rule: "every route but ping's is throttled",
    broken: withValue(template, property("HttpApiStage", "RouteSettings", "POST /verify", "ThrottlingRateLimit"),
      undefined), found: "HttpApiStage" },
  { rule: "a stage waits for the routes that it has settings for",
    broken: withValue(template, ["Resources", "HttpApiStage", "DependsOn"], []), found: "HttpApiStage" },
  { rule: "a message goes to the dead letters after 10 receives",
    broken: withValue(template, property("ProvisionQueue", "RedrivePolicy", "maxReceiveCount"), 3),
    found: "ProvisionQueue" },
  { rule: "a message goes to the dead letters after 10 receives",
    broken: withValue(template, property("ProvisionQueue", "RedrivePolicy"), undefined), found: "ProvisionQueue" },
  { rule: "messages are kept for 14 days",
    broken: withValue(template, property("DeadLetterQueue", "MessageRetentionPeriod"), 345_600),
    found: "DeadLetterQueue" },
  { rule: "queues are FIFO, and one buyer never delays another",
    broken: withValue(template, property("ProvisionQueue", "FifoThroughputLimit"), "perQueue"),
    found: "ProvisionQueue" },
  { rule: "a message is invisible for 6 times its function's time-out",
    broken: withValue(template, property("ProvisionLambdaFunction", "Timeout"), 61),
    found: "ProvisionEventSourceMappingSQSProvisionQueue" },
  { rule: "workers report the messages that failed, one by one",
    broken: withValue(template, property("ProvisionEventSourceMappingSQSProvisionQueue", "FunctionResponseTypes"),
      undefined), found: "ProvisionEventSourceMappingSQSProvisionQueue" },
  { rule: "workers are bounded",
    broken: withValue(template, property("ProvisionEventSourceMappingSQSProvisionQueue", "ScalingConfig"), undefined),
    found: "ProvisionEventSourceMappingSQSProvisionQueue" },
  { rule: "functions run on nodejs24.x and arm64",
    broken: withValue(template, property("PingLambdaFunction", "Runtime"), "nodejs20.x"),
    found: "PingLambdaFunction" },
  { rule: "functions run on nodejs24.x and arm64",
    broken: withValue(template, property("PingLambdaFunction", "Architectures"), ["x86_64"]),
    found: "PingLambdaFunction" },
  { rule: "every alarm tells somebody", broken: withValue(template, property("QueueAgeAlarm", "AlarmActions"), []),
    found: "QueueAgeAlarm" },
  { rule: "every function's errors have an alarm",
    broken: withValue(template, ["Resources", "PingErrorsAlarm"], undefined), found: "PingLambdaFunction" },
  { rule: "dead letters have an alarm", broken: withValue(template, ["Resources", "DeadLettersAlarm"], undefined),
    found: "DeadLetterQueue" },
];

describe("the security rules", () => {
  it.each(Object.entries(securityRules))("%s", (_name, rule) => {
    expect(rule(template)).toEqual([]);
  });

  it.each(brokenTemplates)("a template that breaks it is found: $rule ($found)", ({ rule, broken, found }) => {
    expect(securityRules[rule](broken).map((line) => line.split(":")[0])).toContain(found);
  });

  it("are each shown to find something", () => {
    expect(new Set(brokenTemplates.map(({ rule }) => rule))).toEqual(new Set(Object.keys(securityRules)));
  });
});
