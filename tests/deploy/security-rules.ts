/** The rules of a deployed stage, each a function of the rendered template: what it returns is what breaks it. */
import { at, isObject, listOf, ofType } from "./template.ts";
import type { Resource, Template } from "./template.ts";

/** Returns a line for each thing that breaks the rule, beginning with the resource's logical id. */
export type Rule = (template: Template) => string[];

const days14 = 14 * 24 * 60 * 60;

const everyOf =
  (type: string, wrong: (resource: Resource, id: string, template: Template) => string | undefined | false): Rule =>
  (template) =>
    ofType(template, type).flatMap(([id, resource]) => {
      const what = wrong(resource, id, template);
      return typeof what === "string" ? [`${id}: ${what}`] : [];
    });

const all = (...rules: Rule[]): Rule => (template) => rules.flatMap((rule) => rule(template));

const tlsOnly = (type: string, policyType: string, place: string, actions: string): Rule => (template) =>
  ofType(template, type)
    .filter(([id]) =>
      !ofType(template, policyType).some(([, policy]) =>
        listOf(policy.Properties[place]).some((one) => refersTo(one, id)) &&
        statementsOf(policy.Properties["PolicyDocument"]).some((statement) =>
          statement["Effect"] === "Deny" &&
          statement["Principal"] === "*" &&
          statement["Action"] === actions &&
          String(at(statement, "Condition", "Bool", "aws:SecureTransport")) === "false" &&
          JSON.stringify(statement["Resource"]).includes(`"${id}"`)
        )
      )
    )
    .map(([id]) => `${id}: no policy that denies calls without TLS`);

/** By name: the rule's name is the test's. */
export const securityRules = {
  "queues take calls over TLS alone": tlsOnly("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
  "the deployment bucket takes calls over TLS alone": tlsOnly("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket",
    "s3:*"),
  "topics take calls over TLS alone": tlsOnly("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),

  "queues are encrypted": everyOf("AWS::SQS::Queue",
    ({ Properties }) => Properties["SqsManagedSseEnabled"] !== true && "not encrypted"),
  "tables are encrypted": everyOf("AWS::DynamoDB::Table",
    ({ Properties }) => at(Properties, "SSESpecification", "SSEEnabled") !== true && "not encrypted"),
  "the deployment bucket is encrypted and private": everyOf("AWS::S3::Bucket", ({ Properties }) => {
    if (at(Properties, "BucketEncryption", "ServerSideEncryptionConfiguration", 0) === undefined) {
      return "not encrypted";
    }
    return ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"].some((each) =>
        at(Properties, "PublicAccessBlockConfiguration", each) !== true
      )
      ? "could be made public"
      : undefined;
  }),
  "CloudWatch may publish to the topics": everyOf("AWS::SNS::Topic", ({ Properties }, id, template) => {
    // AWS's own SNS key can't be opened to CloudWatch: its alarms would be lost without a word.
    if (Properties["KmsMasterKeyId"] !== undefined) return "CloudWatch may not use its key";
    const allowed = ofType(template, "AWS::SNS::TopicPolicy")
      .filter(([, policy]) => listOf(policy.Properties["Topics"]).some((one) => refersTo(one, id)))
      .flatMap(([, policy]) => statementsOf(policy.Properties["PolicyDocument"]))
      .some((each) =>
        at(each, "Principal", "Service") === "cloudwatch.amazonaws.com" &&
        listOf(each["Action"]).includes("sns:Publish")
      );
    return allowed ? undefined : "CloudWatch may not publish to it";
  }),

  "tables can be restored to any point in time": everyOf("AWS::DynamoDB::Table",
    ({ Properties }) =>
      at(Properties, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") !== true &&
      "no point-in-time recovery"),
  "tables are protected from deletion": everyOf("AWS::DynamoDB::Table",
    ({ Properties }) => Properties["DeletionProtectionEnabled"] !== true && "not protected"),
  "tables, queues and secrets outlive the stack": all(
    ...["AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SecretsManager::Secret"].map((type) =>
      everyOf(type, ({ DeletionPolicy, UpdateReplacePolicy }) =>
        (DeletionPolicy !== "Retain" || UpdateReplacePolicy !== "Retain") && "would go with the stack")
    ),
  ),

  "no role has a wildcard in an action or a resource": everyOf("AWS::IAM::Role", ({ Properties }) => {
    if (listOf(Properties["ManagedPolicyArns"]).length > 0) return "has a managed policy";
    const granted = roleStatements(Properties).flatMap((
      { Action, Resource },
    ) => [...listOf(Action), ...listOf(Resource)]);
    const wild = granted.find((each) => JSON.stringify(each).includes("*"));
    return wild === undefined ? undefined : `grants ${JSON.stringify(wild)}`;
  }),
  "no role has a negated action or resource": everyOf("AWS::IAM::Role",
    ({ Properties }) =>
      roleStatements(Properties).some((each) => "NotAction" in each || "NotResource" in each) &&
      "grants all but something"),
  "permissions stand in the roles alone": (template) =>
    ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"].flatMap((type) =>
      ofType(template, type).map(([id]) => `${id}: grants beside the roles`)
    ),
  "no queue, topic or bucket lets strangers in": all(
    ...["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy"].map((type) =>
      everyOf(type, ({ Properties }) =>
        statementsOf(Properties["PolicyDocument"]).some((each) =>
          each["Effect"] === "Allow" && JSON.stringify(each["Principal"]).includes("*")
        ) && "allows everybody")
    ),
  ),
  "each function has a role of its own": (template) => {
    const users = functionsOf(template).map(({ id, role }) => ({ id, role }));
    return users.flatMap(({ id, role }) => {
      if (role === undefined || template.Resources[role]?.Type !== "AWS::IAM::Role") {
        return [`${id}: its role is not in the template`];
      }
      return users.some((other) => other.id !== id && other.role === role) ? [`${id}: shares its role`] : [];
    });
  },
  "only Lambda may take a role": everyOf("AWS::IAM::Role", ({ Properties }) => {
    const allowed = statementsOf(Properties["AssumeRolePolicyDocument"]).map((each) =>
      JSON.stringify(each["Principal"])
    );
    return allowed.some((each) => each !== '{"Service":"lambda.amazonaws.com"}') &&
      `can be taken by ${allowed.join(", ")}`;
  }),
  "each function reads only its own secrets": (template) =>
    functionsOf(template).flatMap(({ id, role, environment }) => {
      const own = secretsIn(environment, template).sort();
      const readable = roleStatements(template.Resources[role ?? ""]?.Properties)
        .filter(({ Action }) => listOf(Action).some((each) => String(each).startsWith("secretsmanager:")))
        .flatMap(({ Resource }) => listOf(Resource).map((each) => String(at(each, "Ref") ?? JSON.stringify(each))))
        .sort();
      return own.join() === readable.join() ? [] : [`${id}: is given [${own.join()}], may read [${readable.join()}]`];
    }),
  "each function writes to its own log alone": (template) => functionsOf(template).flatMap(({ id, role }) => {
    const logs = roleStatements(template.Resources[role ?? ""]?.Properties)
      .filter(({ Action }) => listOf(Action).some((each) => String(each).startsWith("logs:")))
      .flatMap(({ Resource }) => listOf(Resource).map((each) => at(each, "Fn::GetAtt", 0)));
    const own = id.replace(/LambdaFunction$/, "LogGroup");
    return logs.length === 1 && logs[0] === own ? [] : [`${id}: may write to [${logs.map(String).join()}]`];
  }),
  "secrets have no value in the template": everyOf("AWS::SecretsManager::Secret",
    ({ Properties }) => ("SecretString" in Properties || "GenerateSecretString" in Properties) && "has a value"),
  "no secret is in an environment variable": (template) =>
    functionsOf(template).flatMap(({ id, environment }) => Object.entries(environment).flatMap(([name, value]) => {
      if (JSON.stringify(value).includes("{{resolve:")) return [`${id}: ${name} would hold a secret's value`];
      const soundsSecret = /SECRET|TOKEN|PASSWORD|PEPPER|CREDENTIAL|PRIVATE|_KEYS?$/.test(name);
      return soundsSecret && secretsIn({ name: value }, template).length === 0
        ? [`${id}: ${name} is no reference to a secret`]
        : [];
    })),

  "every log is kept for 30 days": all(
    everyOf("AWS::Logs::LogGroup", ({ Properties }) =>
      Properties["RetentionInDays"] !== 30 && `kept for ${String(Properties["RetentionInDays"] ?? "ever")}`),
    (template) =>
      functionsOf(template)
        .filter(({ name }) =>
          !ofType(template, "AWS::Logs::LogGroup").some(([, log]) =>
            log.Properties["LogGroupName"] === `/aws/lambda/${String(name)}`
          )
        )
        .map(({ id }) =>
          `${id}: Lambda would make its log itself, and keep it for ever`
        ),
  ),
  "the access log is JSON of harmless fields, without the path": everyOf("AWS::ApiGatewayV2::Stage",
    ({ Properties }) => {
      const format = at(Properties, "AccessLogSettings", "Format");
      if (typeof format !== "string") return "no access log";
      if (!isJson(format)) return "not JSON";
      const harmless = ["requestTime", "requestId", "routeKey", "status", "responseLatency", "integrationStatus",
        "error.responseType"];
      const other = [...format.matchAll(/\$context\.([\w.]+)/g)].map(([, field = ""]) => field).find((field) =>
        !harmless.includes(field)
      );
      return other === undefined ? undefined : `logs $context.${other}`;
    }),

  "every route but ping's is throttled": everyOf("AWS::ApiGatewayV2::Stage", ({ Properties }, _id, template) => {
    if (/Throttling/.test(JSON.stringify(Properties["DefaultRouteSettings"]))) return "throttles ping's route too";
    const limited = (key: string) =>
      ["ThrottlingRateLimit", "ThrottlingBurstLimit"].map((each) => at(Properties, "RouteSettings", key, each));
    const wrong = ofType(template, "AWS::ApiGatewayV2::Route").map(([, route]) => String(route.Properties["RouteKey"]))
      .find((key) => limited(key).some((limit) => (typeof limit === "number") === key.startsWith("POST /ping")));
    return wrong === undefined ? undefined : `${wrong} is throttled, or isn't, and should be the other`;
  }),
  "a stage waits for the routes that it has settings for": everyOf("AWS::ApiGatewayV2::Stage",
    ({ Properties, DependsOn }, _id, template) => {
      // API Gateway refuses settings of a route that isn't there yet.
      const there = listOf(DependsOn).map((id) => at(template.Resources, String(id), "Properties", "RouteKey"));
      const settings = Properties["RouteSettings"];
      const missing = Object.keys(isObject(settings) ? settings : {}).find((key) => !there.includes(key));
      return missing === undefined ? undefined : `doesn't wait for ${missing}`;
    }),
  "a message goes to the dead letters after 10 receives": everyOf("AWS::SQS::Queue",
    ({ Properties }, id, template) => {
      if (isDeadLetterQueue(id, template)) return undefined;
      const target = at(Properties, "RedrivePolicy", "deadLetterTargetArn", "Fn::GetAtt", 0);
      if (typeof target !== "string" || template.Resources[target]?.Type !== "AWS::SQS::Queue") {
        return "no dead-letter queue";
      }
      return at(Properties, "RedrivePolicy", "maxReceiveCount") !== 10 && "not after 10 receives";
    }),
  "messages are kept for 14 days": everyOf("AWS::SQS::Queue",
    ({ Properties }) => Properties["MessageRetentionPeriod"] !== days14 && "not 14 days"),
  "queues are FIFO, and one buyer never delays another": everyOf("AWS::SQS::Queue", ({ Properties }) => {
    if (Properties["FifoQueue"] !== true || !String(Properties["QueueName"]).endsWith(".fifo")) return "not FIFO";
    return (Properties["DeduplicationScope"] !== "messageGroup" ||
      Properties["FifoThroughputLimit"] !== "perMessageGroupId") && "groups share one limit";
  }),
  "a message is invisible for 6 times its function's time-out": everyOf("AWS::Lambda::EventSourceMapping",
    ({ Properties }, _id, template) => {
      const queue = at(Properties, "EventSourceArn", "Fn::GetAtt", 0);
      const worker = at(Properties, "FunctionName", "Fn::GetAtt", 0);
      const visibility = at(template.Resources, String(queue), "Properties", "VisibilityTimeout");
      const timeout = at(template.Resources, String(worker), "Properties", "Timeout");
      return (typeof visibility !== "number" || typeof timeout !== "number" || visibility < 6 * timeout) &&
        `${String(visibility)} s for ${String(timeout)} s`;
    }),
  "workers report the messages that failed, one by one": everyOf("AWS::Lambda::EventSourceMapping",
    ({ Properties }) =>
      !listOf(Properties["FunctionResponseTypes"]).includes("ReportBatchItemFailures") &&
      "a failure would repeat its whole batch"),
  "workers are bounded": everyOf("AWS::Lambda::EventSourceMapping",
    ({ Properties }) =>
      typeof at(Properties, "ScalingConfig", "MaximumConcurrency") !== "number" && "no maximum concurrency"),
  "functions run on nodejs24.x and arm64": everyOf("AWS::Lambda::Function", ({ Properties }) => {
    if (Properties["Runtime"] !== "nodejs24.x") return `runs on ${String(Properties["Runtime"])}`;
    return JSON.stringify(Properties["Architectures"]) !== '["arm64"]' && "not arm64";
  }),

  "every alarm tells somebody": everyOf("AWS::CloudWatch::Alarm", ({ Properties }, _id, template) => {
    const target = at(listOf(Properties["AlarmActions"])[0], "Ref");
    return (typeof target !== "string" || template.Resources[target]?.Type !== "AWS::SNS::Topic") && "tells nobody";
  }),
  "every function's errors have an alarm": (template) => functionsOf(template)
    .filter(({ id }) =>
      !ofType(template, "AWS::CloudWatch::Alarm").some(([, { Properties }]) =>
        Properties["Namespace"] === "AWS/Lambda" && Properties["MetricName"] === "Errors" &&
        at(Properties, "Dimensions", 0, "Value", "Ref") === id
      )
    )
    .map(({ id }) => `${id}: nobody would hear of its errors`),
  "dead letters have an alarm": (template) =>
    ofType(template, "AWS::SQS::Queue")
      .filter(([id]) => isDeadLetterQueue(id, template))
      .filter(([id]) =>
        !ofType(template, "AWS::CloudWatch::Alarm").some(([, { Properties }]) =>
          Properties["MetricName"] === "ApproximateNumberOfMessagesVisible" &&
          at(Properties, "Dimensions", 0, "Value", "Fn::GetAtt", 0) === id
        )
      )
      .map(([id]) => `${id}: nobody would hear of a dead letter`),
} satisfies Record<string, Rule>;

/**
 * Which property holds the name that a resource has in AWS. What is not listed gets its name from the stack, which
 * holds the stage.
 */
const nameProperty: Record<string, string> = { "AWS::ApiGatewayV2::Api": "Name", "AWS::CloudWatch::Alarm": "AlarmName",
  "AWS::DynamoDB::Table": "TableName", "AWS::Events::Rule": "Name", "AWS::IAM::Role": "RoleName",
  "AWS::Lambda::Function": "FunctionName", "AWS::Logs::LogGroup": "LogGroupName",
  "AWS::SecretsManager::Secret": "Name", "AWS::SNS::Topic": "TopicName", "AWS::SQS::Queue": "QueueName" };

/** The stage is in every name, so that two stages can live in one account. */
export function withoutStage(template: Template, stage: string): string[] {
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) => {
    const property = nameProperty[Type];
    if (property === undefined) return [];
    const name = JSON.stringify(Properties[property] ?? "");
    return name.split(/[^a-z0-9]/i).includes(stage) ? [] : [`${id}: ${name} holds no ${stage}`];
  });
}

/** What each role may do, as lines `action on resource`: to be read by a person, and held by a test. */
export function grantsOf(template: Template, role: string): string[] {
  return roleStatements(template.Resources[role]?.Properties)
    .flatMap(({ Action, Resource }) =>
      listOf(Action).flatMap((action) =>
        listOf(Resource).map((resource) => `${String(action)} on ${nameOf(resource)}`)
      )
    )
    .sort();
}

function nameOf(resource: unknown): string {
  const name = at(resource, "Ref") ?? at(resource, "Fn::GetAtt", 0) ?? at(resource, "Fn::Sub");
  return typeof name === "string" ? name : JSON.stringify(resource);
}

function statementsOf(document: unknown): Record<string, unknown>[] {
  return listOf(at(document, "Statement")).filter(isObject);
}

function roleStatements(properties: unknown): Record<string, unknown>[] {
  return listOf(at(properties, "Policies")).flatMap((policy) => statementsOf(at(policy, "PolicyDocument")));
}

/** The functions: their name in AWS, their role's logical id, their environment. */
export function functionsOf(template: Template) {
  return ofType(template, "AWS::Lambda::Function").map(([id, { Properties }]) => {
    const role = at(Properties, "Role", "Fn::GetAtt", 0);
    const variables = at(Properties, "Environment", "Variables");
    return { id, name: Properties["FunctionName"], role: typeof role === "string" ? role : undefined,
      environment: isObject(variables) ? variables : {} };
  });
}

function secretsIn(environment: Record<string, unknown>, template: Template): string[] {
  return Object.values(environment)
    .map((value) => at(value, "Ref"))
    .filter((name) => typeof name === "string")
    .filter((name) => template.Resources[name]?.Type === "AWS::SecretsManager::Secret");
}

function isDeadLetterQueue(id: string, template: Template): boolean {
  return ofType(template, "AWS::SQS::Queue").some(([, { Properties }]) =>
    at(Properties, "RedrivePolicy", "deadLetterTargetArn", "Fn::GetAtt", 0) === id
  );
}

function refersTo(value: unknown, id: string): boolean {
  return at(value, "Ref") === id;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
