import { readFileSync } from "node:fs";

import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { startQueues, type Queues } from "../../local/aws/queues.ts";
import { readTemplate } from "../../local/aws/template.ts";
import { readMessage, type MessageOf } from "../../src/queue/message.ts";
import { bulkQueue } from "../../src/queue/queue.ts";

const specs = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).queues;
const name = specs.find(({ logicalId }) => logicalId === "ProvisionQueue")!.name;
let queues: Queues;
beforeAll(async () => {
  queues = await startQueues(specs);
});
afterAll(async () => {
  await queues.stop();
});

const due = (buyer: string): MessageOf<"due"> => ({ v: 1, kind: "due", requestId: "r", buyer });

describe("the queue as reconcile fills it", () => {
  it("takes more than SQS takes a call, each id once, and counts what waits, not what rests or is out", async () => {
    const queue = bulkQueue(queues.client, queues.queueUrl(name));
    expect(await queue.depth()).toBe(0);
    const messages = Array.from({ length: 23 },
      (_, index) => ({ message: due(`buyer${String(index)}@example.com`), id: String(index) }));
    await queue.send(messages);
    await queue.send(messages.slice(0, 3));
    expect(await queue.depth()).toBe(23);
    const { Messages = [] } = await queues.client.send(
      new ReceiveMessageCommand({ QueueUrl: queues.queueUrl(name), MaxNumberOfMessages: 5 }),
    );
    expect(Messages.map(({ Body = "" }) => readMessage(Body))).toContainEqual(due("buyer0@example.com"));
    expect(await queue.depth()).toBe(18);
    expect(await bulkQueue(queues.client, queues.queueUrl(name), "all").depth()).toBe(23);
  });

  it("says that it can't be reached, as something temporary", async () => {
    const nowhere = new SQSClient({ endpoint: "http://127.0.0.1:1", region: "eu-west-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 });
    const gone = bulkQueue(nowhere, "http://127.0.0.1:1/0/q");
    for (const call of [gone.depth(), gone.send([{ message: due("ann@example.com"), id: "1" }])]) {
      await expect(call).rejects.toMatchObject({ name: "TemporaryError", code: "QUEUE_UNREACHABLE" });
    }
  });
});
