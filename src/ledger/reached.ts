import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";

import { TemporaryError } from "../errors.ts";

/**
 * Lets a failed condition through; everything else means DynamoDB couldn't be had.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function reached<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) throw error;
    throw new TemporaryError("LEDGER_UNREACHABLE", "The ledger's table could not be read or written.", {
      cause: error,
    });
  }
}
