import { DescribeSecretCommand, GetSecretValueCommand, ListSecretsCommand, PutSecretValueCommand,
  SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { CREDENTIALS, REGION, secretArn } from "../../local/aws/account.ts";
import { OPERATOR_CREDENTIALS, type SecretsEmulator, startSecretsEmulator } from "../../local/aws/secrets.ts";

let emulator: SecretsEmulator;
let operator: SecretsManagerClient;
let worker: SecretsManagerClient;
beforeAll(async () => {
  emulator = await startSecretsEmulator({ "app/full": "one" }, ["app/empty", "app/full"]);
  const where = { endpoint: emulator.url, region: REGION };
  operator = new SecretsManagerClient({ ...where, credentials: OPERATOR_CREDENTIALS });
  worker = new SecretsManagerClient({ ...where, credentials: CREDENTIALS });
});
afterAll(async () => {
  operator.destroy();
  worker.destroy();
  await emulator.stop();
});
const value = async (SecretId: string) => (await worker.send(new GetSecretValueCommand({ SecretId }))).SecretString;

describe("the Secrets Manager double", () => {
  it("tells a secret without a value from one that isn't there, as AWS does: only describing can", async () => {
    await expect(value("app/empty")).rejects.toMatchObject({ name: "ResourceNotFoundException",
      message: expect.stringContaining("AWSCURRENT") });
    await expect(value("app/none")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    expect(await operator.send(new DescribeSecretCommand({ SecretId: "app/empty" }))).toMatchObject({
      Name: "app/empty",
      ARN: secretArn("app/empty"),
    });
    await expect(operator.send(new DescribeSecretCommand({ SecretId: "app/none" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("takes a value from an operator, by name or ARN, and makes no secret that isn't there", async () => {
    const { VersionId } = await operator.send(
      new PutSecretValueCommand({ SecretId: secretArn("app/full"), SecretString: "two" }),
    );
    expect(await worker.send(new GetSecretValueCommand({ SecretId: "app/full" }))).toMatchObject({ SecretString: "two",
      VersionId, VersionStages: ["AWSCURRENT"] });
    await expect(operator.send(new PutSecretValueCommand({ SecretId: "app/none", SecretString: "x" }))).rejects
      .toMatchObject({ name: "ResourceNotFoundException" });
    await expect(operator.send(new PutSecretValueCommand({ SecretId: "app/full", SecretString: "" }))).rejects
      .toMatchObject({ name: "ValidationException" });
  });

  it("lets the functions read only, and nobody list", async () => {
    const denied = { name: "AccessDeniedException" };
    await expect(worker.send(new PutSecretValueCommand({ SecretId: "app/full", SecretString: "x" }))).rejects
      .toMatchObject(denied);
    await expect(worker.send(new DescribeSecretCommand({ SecretId: "app/full" }))).rejects.toMatchObject(denied);
    await expect(operator.send(new ListSecretsCommand({}))).rejects.toMatchObject(denied);
  });
});
