import { randomUUID } from "node:crypto";

import { isSourceId } from "../../src/access/facts.ts";
import { ConfigError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import { type BuyerRecord, type Claim, openClaims } from "../../src/ledger/record.ts";
import type { ActFlags } from "../commands/options.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { everyRecord } from "../ledger/records.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";
import { operate } from "../operating.ts";
import { cameOf } from "../operations/outcome.ts";
import { signatureOf, toldDone, waitingOf } from "./telling.ts";

/** What an operator may say to a request. */
export type ClaimDecision = "confirm" | "refuse";

/** Lists the requests that nobody decided yet. */
export async function listClaims(context: Context): Promise<ExitCode> {
  const { output, policy, commandLine } = context;
  const stage = await context.stage();
  const products = await policy();
  const found: (Claim & { readonly buyer: string; readonly product: string })[] = [];
  for await (const { records } of everyRecord(ledgerTable(stage.dynamo, stage.ledger))) {
    for (const record of records) {
      found.push(
        ...openClaims(record).map((claim) => ({ ...claim, buyer: record.email,
          product: products.get(record.sources[claim.source]?.productId ?? "")?.name ?? "" })
        ),
      );
    }
  }
  found.sort((a, b) => a.at - b.at);
  for (const { source, by, at, buyer, product } of found) {
    output.say(`${momentOf(at)}  ${source}  ${product}, of ${buyer}: ${by} shows its licence key`);
  }
  output.say(
    found.length === 0
      ? "nobody asks for anything"
      : `${commandLine("claims confirm SOURCE")} or refuse; ${commandLine("explain BUYER")} shows what there is`,
  );
  output.result({
    claims: found.map(({ source, by, at, buyer, product }) => ({ source, product, buyer, by, at: isoOf(at) })),
  });
  return EXIT.ok;
}

/**
 * Decides about one request.
 * @throws {ConfigError} CLAIM_UNKNOWN, CLAIM_UNCLEAR
 */
export async function decideClaim(decision: ClaimDecision, source: string | undefined, claimant: string | undefined,
  flags: ActFlags, context: Context): Promise<ExitCode> {
  const { output, now, commandLine } = context;
  const stage = await context.stage();
  const ledger = dynamoLedger(ledgerTable(stage.dynamo, stage.ledger));
  const buyer = source !== undefined && isSourceId(source) ? await ledger.owner(source) : null;
  const record = buyer === null ? null : await ledger.load(buyer);
  const asked = record === null
    ? []
    : openClaims(record).filter((claim) =>
      claim.source === source && (claimant === undefined || claim.by === claimant)
    );
  const [claim] = asked;
  if (buyer === null || record === null || claim === undefined) {
    throw new ConfigError("CLAIM_UNKNOWN",
      `nobody asks for ${source ?? "that"}: ${commandLine("claims")} lists the requests, each with its source`);
  }
  if (asked.length > 1) {
    throw new ConfigError("CLAIM_UNCLEAR", `several ask for it: name one of ${asked.map(({ by }) => by).join(", ")}`);
  }
  const state = decision === "confirm" ? "granted" : "refused";
  const dryRun = flags.dryRun === true;
  const about = { buyer, source: claim.source, claimant: claim.by, decision, dryRun };
  output.say(`${dryRun ? `would ${decision}` : `${decision}s`} that ${claim.by} gets ${claim.source} of ${buyer}`);
  if (dryRun) {
    output.result(about);
    return EXIT.ok;
  }
  const waiting = waitingOf(flags);
  const { by, why } = await signatureOf(flags, context);
  const requestId = randomUUID();
  const saleId = record.sources[claim.source]?.charges.find(({ seen }) => seen)?.saleId ?? "";
  const isOpen = (latest: BuyerRecord): boolean =>
    openClaims(latest).some((open) => open.source === claim.source && open.by === claim.by);
  const came = await operate(context,
    (operating) =>
      cameOf([buyer], { isAbout: "act", takenIn: async (latest) => ({ state: isOpen(latest) ? "no" : "yes" }),
        send: () =>
          operating.queue.send({ v: 1, kind: "claim", requestId, buyer, hops: 0, saleId, by: claim.by, at: now(),
            decided: { state, by, why } }, `claim ${requestId}`) }, waiting, operating));
  output.result({ ...about, by, why, outcome: came[0]?.outcome });
  return toldDone(came, flags, context);
}
