import { randomUUID } from "node:crypto";

import { isSourceId } from "../../src/access/facts.ts";
import { ConfigError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { type BuyerRecord, type Claim, linkedClaims, openClaims } from "../../src/ledger/record.ts";
import { everyRecord } from "../ledger/records.ts";
import type { Signature } from "./carry-out.ts";
import type { Operating } from "./operating.ts";
import { type Came, cameOf, type Waiting } from "./outcome.ts";

/** What an operator may say to a request. */
export type ClaimDecision = "confirm" | "refuse";

/** A request that nobody decided yet, or what an account of the self-built login has (`granted`). */
export interface ListedClaim extends Claim {
  readonly buyer: string;
  /** As the policy calls it; empty: it doesn't list the product. */
  readonly product: string;
}

/** The one claim that is meant, and the record that it is in. */
export interface FoundClaim {
  readonly claim: Claim;
  readonly record: BuyerRecord;
}

const listed = (record: BuyerRecord): readonly Claim[] => [...openClaims(record), ...linkedClaims(record)];

/** The claims that somebody may decide about, oldest first. Reads the whole ledger. Throws what it throws. */
export async function listedClaims({ stage, policy }: Operating): Promise<readonly ListedClaim[]> {
  const products = await policy();
  const found: ListedClaim[] = [];
  for await (const { records } of everyRecord(ledgerTable(stage.dynamo, stage.ledger))) {
    for (const record of records) {
      found.push(
        ...listed(record).map((claim) => ({ ...claim, buyer: record.email,
          product: products.get(record.sources[claim.source]?.productId ?? "")?.name ?? "" })
        ),
      );
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

/**
 * Finds one claim: by the purchase, and where several have a part in it by whose claim it is. What is granted already
 * can be refused.
 * @throws {ConfigError} CLAIM_UNKNOWN, CLAIM_UNCLEAR
 */
export async function claimFor(decision: ClaimDecision, source: string, claimant: string | undefined,
  { ledger, commandLine }: Operating): Promise<FoundClaim> {
  const buyer = isSourceId(source) ? await ledger.owner(source) : null;
  const record = buyer === null ? null : await ledger.load(buyer);
  const meant = record === null
    ? []
    : listed(record).filter((claim) =>
      claim.source === source && (claimant === undefined || claim.by === claimant) &&
      (decision === "refuse" || claim.state === "asked")
    );
  const [claim] = meant;
  if (record === null || claim === undefined) {
    throw new ConfigError("CLAIM_UNKNOWN",
      `nobody asks for ${source === "" ? "that" : source}: ${
        commandLine("claims")
      } lists the requests, each with its source`);
  }
  if (meant.length > 1) {
    throw new ConfigError("CLAIM_UNCLEAR", `several ask for it, or have it: name one of ${
      meant.map(({ by }) => by).join(", ")
    }`);
  }
  return { claim, record };
}

/** Decides about a claim, and waits for the buyer's turn. Throws as `cameOf`. */
export async function decided(decision: ClaimDecision, { claim, record }: FoundClaim, signature: Signature,
  waiting: Waiting, operating: Operating): Promise<readonly Came[]> {
  const { queue, now } = operating;
  const { email: buyer } = record;
  const requestId = randomUUID();
  const saleId = record.sources[claim.source]?.charges.find(({ seen }) => seen)?.saleId ?? "";
  const state = decision === "confirm" ? "granted" : "refused";
  // Later than what the record knows, whatever this machine's clock says.
  const known = [...(record.claims ?? []), record.sources[claim.source]?.act ?? { at: 0 }];
  const at = Math.max(now(), ...known.map((one) => one.at + 1));
  const isAsBefore = (latest: BuyerRecord): boolean =>
    listed(latest).some((one) => one.source === claim.source && one.by === claim.by && one.state === claim.state);
  return cameOf([buyer], { isAbout: "act", takenIn: async (latest) => ({ state: isAsBefore(latest) ? "no" : "yes" }),
    send: () =>
      queue.send({ v: 1, kind: "claim", requestId, buyer, hops: 0, saleId, under: claim.source, by: claim.by, at,
        decided: { state, ...signature } }, `claim ${requestId}`) }, waiting, operating);
}
