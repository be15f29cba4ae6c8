import { reached } from "./reached.ts";

/** Where a query or a scan goes on: to be put into its command as it is. */
export interface PageStart {
  readonly ExclusiveStartKey?: Record<string, unknown>;
}

interface PageAnswer {
  readonly Items?: Record<string, unknown>[] | undefined;
  readonly LastEvaluatedKey?: Record<string, unknown> | undefined;
}

/**
 * The pages of a query or a scan, one after the other: DynamoDB gives at most 1 MB a call.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function* pagesOf(
  ask: (from: PageStart) => Promise<PageAnswer>,
): AsyncGenerator<readonly Record<string, unknown>[]> {
  let start: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey }: PageAnswer = await reached(
      ask(start === undefined ? {} : { ExclusiveStartKey: start }),
    );
    yield Items;
    start = LastEvaluatedKey;
  } while (start !== undefined);
}
