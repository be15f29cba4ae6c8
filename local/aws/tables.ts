import { CreateTableCommand, type CreateTableCommandInput, DeleteTableCommand, DescribeTableCommand, DynamoDBClient,
  ResourceNotFoundException, waitUntilTableExists, waitUntilTableNotExists } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import dynalite from "dynalite";
import { CREDENTIALS, REGION } from "./account.ts";
import { ConfigError } from "../../src/errors.ts";
import { takeDataFolder } from "./data-folder.ts";
import { closeToPages, listen } from "./loopback.ts";
import type { TableSpec } from "./template.ts";

/** The running DynamoDB double with the template's tables. */
export interface Tables {
  readonly url: string;
  /** All items of a table, for tests and curious people. */
  items(tableName: string): Promise<Record<string, unknown>[]>;
  /** Deletes all items of a table. */
  clear(tableName: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts dynalite with the tables, in memory or in the folder `dataDir`.
 * @throws {ConfigError} BAD_DATA_DIR if the folder can't be used, or holds tables with other keys.
 */
export async function startTables(specs: readonly TableSpec[], dataDir?: string): Promise<Tables> {
  const folder = dataDir === undefined ? undefined : takeDataFolder(dataDir);
  const server = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0,
    ...(folder === undefined ? {} : { path: folder.tables }) });
  closeToPages(server);
  const url = `http://127.0.0.1:${String(await listen(server, { port: 0 }))}`;
  const client = new DynamoDBClient({ endpoint: url, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 });
  const documents = DynamoDBDocumentClient.from(client);

  async function stop(): Promise<void> {
    client.destroy();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // The functions are gone by now; what is left are idle keep-alive connections.
    server.closeAllConnections();
    await closed;
    folder?.release();
  }

  try {
    for (const spec of specs) await createTable(client, spec, dataDir);
  } catch (error) {
    await stop();
    throw error;
  }
  const items = (tableName: string): Promise<Record<string, unknown>[]> => itemsIn(documents, tableName);

  async function clear(tableName: string): Promise<void> {
    const keys =
      specs.find((spec) => spec.TableName === tableName)?.KeySchema?.map(({ AttributeName }) => AttributeName ?? "") ??
        [];
    for (const item of await items(tableName)) {
      await documents.send(
        new DeleteCommand({ TableName: tableName, Key: Object.fromEntries(keys.map((key) => [key, item[key]])) }),
      );
    }
  }

  return { url, stop, items, clear };
}

async function createTable(client: DynamoDBClient, spec: TableSpec, dataDir: string | undefined): Promise<void> {
  const input: CreateTableCommandInput = { TableName: spec.TableName, KeySchema: spec.KeySchema,
    AttributeDefinitions: spec.AttributeDefinitions, GlobalSecondaryIndexes: spec.GlobalSecondaryIndexes,
    BillingMode: "PAY_PER_REQUEST" };
  const existing = await client.send(new DescribeTableCommand({ TableName: spec.TableName })).catch(
    (error: unknown) => {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    },
  );
  if (existing === undefined) return create(client, input);
  const found = existing.Table ?? {};
  if (JSON.stringify(found.KeySchema) !== JSON.stringify(spec.KeySchema)) {
    throw new ConfigError("BAD_DATA_DIR",
      `${
        dataDir ?? "memory"
      } holds a table ${spec.TableName} with other keys than serverless.yml; use another folder or delete it`);
  }
  const indexes = (list: typeof found.GlobalSecondaryIndexes) =>
    JSON.stringify((list ?? []).map(({ IndexName, KeySchema }) => [IndexName, KeySchema]).sort());
  if (indexes(found.GlobalSecondaryIndexes) !== indexes(spec.GlobalSecondaryIndexes)) await rebuild(client, input);
}

/** Between two looks at a table that is being made or deleted (seconds). */
const WAITING = { maxWaitTime: 120, minDelay: 0.02, maxDelay: 0.02 };

/** Makes a table, and waits until it can be used. */
async function create(client: DynamoDBClient, input: CreateTableCommandInput): Promise<void> {
  await client.send(new CreateTableCommand(input));
  await waitUntilTableExists({ client, ...WAITING }, { TableName: input.TableName });
}

/** Makes the table anew with the indexes it should have by now, and all its items: dynalite can't add an index. */
async function rebuild(client: DynamoDBClient, input: CreateTableCommandInput): Promise<void> {
  const { TableName } = input;
  const documents = DynamoDBDocumentClient.from(client);
  const items = await itemsIn(documents, TableName);
  await client.send(new DeleteTableCommand({ TableName }));
  await waitUntilTableNotExists({ client, ...WAITING }, { TableName });
  await create(client, input);
  for (const Item of items) await documents.send(new PutCommand({ TableName, Item }));
}

async function itemsIn(documents: DynamoDBDocumentClient,
  TableName: string | undefined): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey: from }));
    found.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return found;
}
