import type { ServerResponse } from "node:http";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import { openDeployedStage } from "../../cli/stage/deployed.ts";
import { type LoopbackServer, startLoopbackServer } from "../../local/aws/loopback.ts";

const OUTPUTS = { DeadLetterQueueUrl: "https://sqs.example/1/gumroad-auth0-prod-dead.fifo",
  PingUrl: "https://api.example/ping", Access: "roles", GettingIn: "invite" };

/** CloudFormation, as far as it is asked, with a clock of its own. */
let cloudFormation: LoopbackServer;
let aheadMs = 0;
const shell = { ...process.env };

beforeAll(async () => {
  cloudFormation = await startLoopbackServer({ port: 0 }, (_incoming, outgoing: ServerResponse) => {
    const members = Object.entries(OUTPUTS).map(([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`
    );
    outgoing.writeHead(200, { "content-type": "text/xml", date: new Date(Date.now() + aheadMs).toUTCString() }).end(
      `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName><Outputs>${
        members.join("")
      }</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    );
  });
  Object.assign(process.env, { AWS_ENDPOINT_URL: cloudFormation.url, AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "x",
    AWS_SECRET_ACCESS_KEY: "x" });
});
afterAll(async () => {
  process.env = shell;
  await cloudFormation.stop();
});
beforeEach(() => {
  aheadMs = 0;
});

describe("a stage on AWS", () => {
  it("has its addresses from the stack's outputs", async () => {
    const stage = await openDeployedStage("prod");
    stage.close();
    expect(stage).toMatchObject({ name: "prod", queue: "https://sqs.example/1/gumroad-auth0-prod-provision.fifo",
      ledger: "gumroad-auth0-prod-ledger", access: "roles", gettingIn: "invite", emulators: null });
  });

  it.each([["five minutes ahead", -300_000], ["an hour behind", 3_600_000]])(
    "goes by AWS's clock, where this machine's is %s",
    async (_what, ahead) => {
      aheadMs = ahead;
      const stage = await openDeployedStage("prod");
      stage.close();
      expect(Math.abs(stage.now() - Date.now() - ahead)).toBeLessThan(60_000);
    },
  );
});
