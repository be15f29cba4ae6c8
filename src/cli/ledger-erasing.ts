import { DeleteCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";

import type { SourceId } from "../access/facts.ts";
import { documentsOf } from "../ledger/documents.ts";
import { recordKey, sourceKey } from "../ledger/keys.ts";
import type { Stage } from "./stage.ts";

const keyShape = z.object({ pk: z.string(), sk: z.string() });

/** Deletes all that the ledger holds of a buyer and of these sources. Gives the number of items. Errors are the AWS SDK's. */
export async function eraseFromLedger({ dynamo, ledger }: Pick<Stage, "dynamo" | "ledger">, email: string, sources: readonly SourceId[]): Promise<number> {
  const documents = documentsOf(dynamo);
  let count = 0;
  for (const pk of [recordKey(email).pk, `giver#${email}`, ...sources.map((id) => sourceKey(id).pk)]) {
    let start: Record<string, unknown> | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await documents.send(
        new QueryCommand({
          TableName: ledger,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": pk },
          ProjectionExpression: "pk, sk",
          ConsistentRead: true,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      for (const item of Items) {
        await documents.send(new DeleteCommand({ TableName: ledger, Key: keyShape.parse(item) }));
        count += 1;
      }
      start = LastEvaluatedKey;
    } while (start !== undefined);
  }
  return count;
}
