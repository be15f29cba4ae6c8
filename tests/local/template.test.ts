import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { readTemplate } from "../../local/aws/template.ts";

const text = readFileSync(new URL("fixtures/serverless.yml", import.meta.url), "utf8");
const read = (source = text, options = { stage: "local" }) => readTemplate(source, options);
const environmentOf = (key: string, template = read()) =>
  template.functions.find((spec) => spec.key === key)!.environment((name) => `http://queues/${name}`);

describe("readTemplate", () => {
  it("gives each function its name, export, limits and events", () => {
    const [api, single, worker, tick] = read().functions;
    expect(api).toMatchObject({ key: "api", name: "sample-local-api", exportName: "handler", timeoutMs: 3000,
      memoryMb: 256 });
    expect(api!.events).toContainEqual({ kind: "httpApi", routeKey: "GET /files/{path+}" });
    expect(single!.reservedConcurrency).toBe(1);
    expect(worker).toMatchObject({ timeoutMs: 1000, memoryMb: 1024 });
    expect(worker!.events).toEqual([{ kind: "sqs",
      queueArn: "arn:aws:sqs:us-east-1:000000000000:sample-local-work.fifo", batchSize: 5, maximumConcurrency: 2,
      partialFailures: true }]);
    expect(tick!.events).toEqual([{ kind: "schedule", everyMs: 60_000 }]);
  });

  it("resolves variables and references in an environment to local names", () => {
    expect(environmentOf("api")).toEqual({ STAGE: "local", LEVEL: "INFO", SIGNUP: "closed",
      SECRET: "arn:aws:secretsmanager:us-east-1:000000000000:secret:sample/local/ping-local0",
      QUEUE_URL: "http://queues/sample-local-work.fifo", TABLE: "sample-local-ledger",
      GREETING: "sample-local-ledger in us-east-1" });
  });

  it("lets a param given at the start win over the file's", () => {
    const template = readTemplate(text, { stage: "local", params: { signup: "open", level: "DEBUG" } });
    expect(environmentOf("api", template)).toMatchObject({ SIGNUP: "open", LEVEL: "DEBUG" });
  });

  it("gives a queue's attributes as strings, with its redrive policy as JSON and its conditions decided", () => {
    expect(read().queues[0]).toEqual({ logicalId: "WorkQueue", name: "sample-local-work.fifo",
      attributes: { FifoQueue: "true", VisibilityTimeout: "60",
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: "arn:aws:sqs:us-east-1:000000000000:sample-local-dead.fifo",
          maxReceiveCount: 2,
        }) } });
    expect(read(text, { stage: "prod" }).queues[0]!.attributes["VisibilityTimeout"]).toBe("360");
  });

  it("gives a table's keys and indexes, the secrets' names and the CORS settings", () => {
    const template = read();
    expect(template.tables[0]).toMatchObject({ logicalId: "LedgerTable", TableName: "sample-local-ledger" });
    expect(template.tables[0]!.GlobalSecondaryIndexes![0]!.IndexName).toBe("due");
    expect(template.secrets).toEqual([{ logicalId: "ApiSecret", name: "sample/local/ping" }]);
    expect(template.cors).toMatchObject({ allowedOrigins: ["https://course.example.com"], allowedMethods: ["*"],
      maxAgeSeconds: 600 });
  });

  it("merges what an anchor shares, and what is of another file or a further part of the list", () => {
    const source = `service: s
functions: {}
resources:
  - Conditions: { Never: !Equals [a, b] }
    Resources:
      First: { Type: AWS::SQS::Queue, Properties: { <<: &shared { FifoQueue: true, VisibilityTimeout: 5 },
        QueueName: a } }
      Second: { Type: AWS::SQS::Queue, Properties: { <<: *shared, QueueName: b,
        VisibilityTimeout: !If [Never, 1, 2] } }
  - \${file(more.yml):stack}
`;
    const files: Record<string, string> = {
      "more.yml":
        "stack: { Resources: { Third: { Type: AWS::SQS::Queue, Properties: { QueueName: 'c-${sls:stage}' } } } }",
    };
    const template = readTemplate(source, { stage: "local", readFile: (name) => files[name] ?? "" });
    expect(template.queues).toEqual([{ logicalId: "First", name: "a",
      attributes: { FifoQueue: "true", VisibilityTimeout: "5" } }, { logicalId: "Second", name: "b",
      attributes: { FifoQueue: "true", VisibilityTimeout: "2" } }, { logicalId: "Third", name: "c-local",
      attributes: {} }]);
  });

  it("reads the project's own serverless.yml", () => {
    const template = read(readFileSync(new URL("../../serverless.yml", import.meta.url), "utf8"));
    expect(template.functions.map(({ key }) => key)).toEqual(
      expect.arrayContaining(["ping", "provision", "reconcile"]),
    );
    expect(template.queues.map(({ name }) => name)).toContain("gumroad-auth0-local-provision.fifo");
    for (const { key } of template.functions) expect(environmentOf(key, template)).toMatchObject({ STAGE: "local" });
  });

  const withApi = (line: string) =>
    `service: s\nfunctions:\n  api:\n    handler: a.handler\n${line}\nresources: { Resources: {} }\n`;
  it.each([{ fault: "no mapping", source: "- a\n", message: "serverless.yml: not a mapping at its top" }, {
    fault: "a part of the stack that is no mapping",
    source: "functions: {}\nresources: [{ Resources: {} }, '${env:STACK}']\n",
    message: 'serverless.yml: resources: "${env:STACK}" is no mapping',
  }, { fault: "a tag nobody knows", source: "service: !Reff x\n", message: "serverless.yml: Unresolved tag: !Reff" }, {
    fault: "a missing handler",
    source: "functions: { api: {} }\n",
    message: "serverless.yml: functions.api.handler: Invalid input",
  }, { fault: "a schedule that is no rate", source: withApi("    events: [{ schedule: cron(0 1 * * ? *) }]"),
    message: 'serverless.yml: functions.api.events[0]: "cron(0 1 * * ? *)" is not like "rate(1 minute)"' }, {
    fault: "an event source that isn't emulated",
    source: withApi("    events: [{ s3: bucket }]"),
    message: 'serverless.yml: functions.api.events[0]: the local runtime knows no "s3" events',
  }, { fault: "a route without a path", source: withApi("    events: [{ httpApi: POST }]"),
    message: 'serverless.yml: functions.api.events[0]: "POST" is not like "POST /path"' }, {
    fault: "a variable without a value",
    source: withApi("    timeout: ${param:none}"),
    message: "serverless.yml: no value for ${param:none}",
  }, { fault: "a variable that names itself",
    source: "custom: { a: '${self:custom.a}x' }\nfunctions: { f: { handler: '${self:custom.a}' } }\n",
    message: "refers to itself" }])("refuses $fault in one line that names the place", ({ source, message }) => {
      expect(() => read(source)).toThrow(
        expect.objectContaining({ code: "BAD_TEMPLATE", message: expect.stringContaining(message) }),
      );
    });

  it("refuses an environment that names what the local runtime hasn't", () => {
    const template = read(withApi("    environment: { TOPIC: !Ref Alarms }"));
    expect(() => environmentOf("api", template)).toThrow("serverless.yml: the local runtime knows no Alarms");
  });
});
