import { randomUUID } from "node:crypto";

import { isSourceId } from "../../src/access/facts.ts";
import { ConfigError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { type BuyerRecord, type Claim, openClaims } from "../../src/ledger/record.ts";
import { everyRecord } from "../ledger/records.ts";
import type { Signature } from "./carry-out.ts";
import type { Operating } from "./operating.ts";
import { type Came, cameOf, type Waiting } from "./outcome.ts";

/** What an operator may say to a request. */
export type ClaimDecision = "confirm" | "refuse";

/** A request that nobody decided yet. */
export interface OpenClaim extends Claim {
  readonly buyer: string;
  /** As the policy calls it; empty: it doesn't list the product. */
  readonly product: string;
}

/** The one request that is meant, and the record that it is in. */
export interface FoundClaim {
  readonly claim: Claim;
  readonly record: BuyerRecord;
}

/** The requests that nobody decided yet, oldest first. Reads the whole ledger. Throws what it throws. */
export async function openRequests({ stage, policy }: Operating): Promise<readonly OpenClaim[]> {
  const products = await policy();
  const found: OpenClaim[] = [];
  for await (const { records } of everyRecord(ledgerTable(stage.dynamo, stage.ledger))) {
    for (const record of records) {
      found.push(
        ...openClaims(record).map((claim) => ({ ...claim, buyer: record.email,
          product: products.get(record.sources[claim.source]?.productId ?? "")?.name ?? "" })
        ),
      );
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

/**
 * Finds one request: by the purchase, and where several ask for it by who asks.
 * @throws {ConfigError} CLAIM_UNKNOWN, CLAIM_UNCLEAR
 */
export async function requestFor(source: string, claimant: string | undefined,
  { ledger, commandLine }: Operating): Promise<FoundClaim> {
  const buyer = isSourceId(source) ? await ledger.owner(source) : null;
  const record = buyer === null ? null : await ledger.load(buyer);
  const asked = record === null
    ? []
    : openClaims(record).filter((claim) =>
      claim.source === source && (claimant === undefined || claim.by === claimant)
    );
  const [claim] = asked;
  if (record === null || claim === undefined) {
    throw new ConfigError("CLAIM_UNKNOWN",
      `nobody asks for ${source === "" ? "that" : source}: ${
        commandLine("claims")
      } lists the requests, each with its source`);
  }
  if (asked.length > 1) {
    throw new ConfigError("CLAIM_UNCLEAR", `several ask for it: name one of ${asked.map(({ by }) => by).join(", ")}`);
  }
  return { claim, record };
}

/** Decides about a request, and waits for the buyer's turn. Throws as `cameOf`. */
export async function decided(decision: ClaimDecision, { claim, record }: FoundClaim, signature: Signature,
  waiting: Waiting, operating: Operating): Promise<readonly Came[]> {
  const { queue, now } = operating;
  const { email: buyer } = record;
  const requestId = randomUUID();
  const saleId = record.sources[claim.source]?.charges.find(({ seen }) => seen)?.saleId ?? "";
  const state = decision === "confirm" ? "granted" : "refused";
  const isOpen = (latest: BuyerRecord): boolean =>
    openClaims(latest).some((open) => open.source === claim.source && open.by === claim.by);
  return cameOf([buyer], { isAbout: "act", takenIn: async (latest) => ({ state: isOpen(latest) ? "no" : "yes" }),
    send: () =>
      queue.send({ v: 1, kind: "claim", requestId, buyer, hops: 0, saleId, by: claim.by, at: now(),
        decided: { state, ...signature } }, `claim ${requestId}`) }, waiting, operating);
}
