/** The made-up AWS account that everything local lives in. */

/** Region of all local resources. */
export const REGION = "us-east-1";

/** Account id of all local resources; the SQS emulator uses this one too. */
export const ACCOUNT_ID = "000000000000";

/** Credentials that the emulators accept (they check none). */
export const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };

/** ARN of a local resource, e.g. `arn("sqs", "my-queue")`. */
export function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;
}

/**
 * A secret's ARN. Secrets Manager ends it with a dash and six characters, so that a name can't be guessed from an
 * ARN's prefix.
 */
export function secretArn(name: string): string {
  return arn("secretsmanager", `secret:${name}-local0`);
}
