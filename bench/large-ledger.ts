import { BatchWriteCommand, DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";

import type { Stack } from "../local/stack.ts";
import { buyerTag } from "../src/log.ts";
import { cliOn, stageOn } from "../tests/cli/local-cli.ts";
import { body, post } from "../tests/pipeline/local-stack.ts";
import { startBothWays } from "./both-ways.ts";
import { alone, brief, inOrder, quantile, type Table, times } from "./figures.ts";

const BUYER = "anna@example.com";
const ITEMS_A_CALL = 25;
/** What takes so long is measured once. */
const SLOW_MS = 1_000;
const keyShape = z.looseObject({ pk: z.string(), sk: z.string() });

/** `buyers` and `explain`, with Node already started, over a ledger in memory that holds so many records. */
export async function largeLedger(counts: readonly number[], rounds: number): Promise<Table> {
  const { stack, stop } = await startBothWays(0);
  try {
    const sale = new URLSearchParams(body("sale"));
    sale.set("email", BUYER);
    await post(stack, sale.toString());
    await stack.sqs.idle();
    const commands = [["the first 50 buyers", "buyers"], ["buyers by a part of the email", "buyers anna"], [
      "all buyers",
      "buyers --all",
    ], ["explain an email", `explain ${BUYER}`], ["explain a purchase", `explain sale:${sale.get("sale_id") ?? ""}`], [
      "explain the tag of a log line",
      `explain ${buyerTag(BUYER)}`,
    ], ["explain, and look for more everywhere", `explain ${BUYER} --search`]] as const;
    const measured: (readonly { readonly ms: number; readonly calls: number }[])[] = [];
    // The first of each loads its command.
    for (const [, line] of commands) await told(stack, line, 1);
    let filled = 1;
    for (const count of counts) {
      await fill(stack, filled, count);
      filled = count;
      const column: { readonly ms: number; readonly calls: number }[] = [];
      for (const [, line] of commands) column.push(await told(stack, line, rounds));
      measured.push(column);
    }
    const rows = commands.map(([what], row) => {
      const made = measured.flatMap((column) => column[row] ?? []);
      const [first, last] = [made[0]?.ms ?? 0, made.at(-1)?.ms ?? 0];
      return [what, ...made.flatMap(({ ms, calls }) => [String(calls), brief(ms, "ms")]), times(last, first)];
    });
    return {
      title: `The tool over a large ledger (Node already started; median of ${
        String(rounds)
      }, or one of over a second)`,
      columns: ["what", ...counts.flatMap((count) => [`calls of DynamoDB at ${String(count)} records`, "time"]),
        "most / least records"],
      rows,
      ...alone(
        "it keeps no records. What reads an index page or single items takes no longer in a large ledger; " +
          "the rest reads the whole index, or the whole ledger, and says so in its help.",
      ),
    };
  } finally {
    await stop();
  }
}

/** Copies what one purchase left in the ledger until it holds so many records. */
async function fill(stack: Stack, from: number, to: number): Promise<void> {
  const stage = stageOn(stack);
  const record = (await stack.ledger()).map((item) => keyShape.parse(item)).find(({ pk, sk }) =>
    pk === `buyer#${BUYER}` && sk === "record"
  );
  const text = JSON.stringify(record);
  const client = DynamoDBDocumentClient.from(stage.dynamo);
  for (let start = from; start < to; start += ITEMS_A_CALL) {
    const items = Array.from({ length: Math.min(ITEMS_A_CALL, to - start) }, (_, nth) =>
      keyShape.parse(JSON.parse(text.replaceAll(BUYER, `buyer${String(start + nth)}@example.com`))));
    await client.send(
      new BatchWriteCommand({ RequestItems: { [stage.ledger]: items.map((Item) => ({ PutRequest: { Item } })) } }),
    );
  }
  stage.close();
}

/** A command line: the median of its times, and its calls of DynamoDB. */
async function told(stack: Stack, line: string, rounds: number) {
  const ms: number[] = [];
  let calls = 0;
  const run = cliOn(stack);
  while (ms.length < rounds && (ms.at(-1) ?? 0) < SLOW_MS) {
    calls = 0;
    const stage = stageOn(stack);
    stage.dynamo.middlewareStack.add((next) => async (args) => {
      calls += 1;
      return next(args);
    }, { step: "build" });
    const began = performance.now();
    const { code, err } = await run(line, { openStage: async () => Promise.resolve(stage) });
    ms.push(performance.now() - began);
    if (code !== 0) throw new Error(`${line}: ${err}`);
  }
  return { ms: quantile(inOrder(ms), 0.5), calls };
}
