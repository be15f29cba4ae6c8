import { randomUUID } from "node:crypto";

import type { Policy } from "../../src/access/policy.ts";
import { ConfigError } from "../../src/errors.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import type { HeldMessage } from "../../src/queue/message.ts";
import type { ActFlags } from "../commands/options.ts";
import { outcomeFor, queueOf, signatureOf, tellOutcome } from "./acting.ts";
import type { Context } from "../context.ts";
import { heldBuyers } from "../ledger/held-buyers.ts";
import { EXIT, type ExitCode } from "../failures.ts";

/** The flags of `release` and `keep`, as commander gives them. */
export interface HoldFlags extends ActFlags {
  readonly yes?: true;
}

/** Lets held removals go, or not. */
export async function decide(decision: HeldMessage["decision"], named: string, only: string | null, flags: HoldFlags,
  context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const stage = await context.stage();
  const product = productNamed(named, await context.policy());
  const held = await heldBuyers(ledgerTable(stage.dynamo, stage.ledger), product.id);
  const buyers = held.filter((buyer) => only === null || buyer === only);
  const dryRun = flags.dryRun === true;
  const about = { product: product.id, decision, buyers, dryRun };
  if (buyers.length === 0) {
    if (!product.isKnown) {
      throw new ConfigError("PRODUCT_UNKNOWN",
        `the policy has no product ${named}, and nothing is held of one with this id. It has: ${
          [...(await context.policy()).values()].map(({ name }) => name).join(", ")
        }`);
    }
    output.say(`nothing is held of ${product.name}${only === null ? "" : ` for ${only}`}`);
    output.result({ ...about, waiting: [] });
    return EXIT.ok;
  }
  const does = decision === "release" ? "lets the held removals go" : "lets the buyers keep what they have";
  output.say(
    `${dryRun ? "would decide" : "decides"} about ${product.name} of ${String(buyers.length)} ${
      buyers.length === 1 ? "buyer" : "buyers"
    }: ${does}`,
  );
  if (dryRun) {
    for (const buyer of buyers) output.say(`  ${buyer}`);
    output.result({ ...about, waiting: buyers });
    return EXIT.ok;
  }
  if (flags.yes !== true && context.questions?.confirm !== undefined &&
    !(await context.questions.confirm("Go on", false))) throw new ConfigError("HOLD_STOPPED", "nothing was decided");
  const signature = await signatureOf(flags, context);
  const queue = queueOf(stage);
  for (const buyer of buyers) {
    const requestId = randomUUID();
    await queue.send({ v: 1, kind: "held", requestId, buyer, productId: product.id, decision, at: now(),
      ...signature }, `${decision} ${requestId}`);
  }
  const waiting: string[] = [];
  for (const buyer of buyers) {
    const outcome = await outcomeFor(buyer, (record) => !isHeld(record, product.id), flags, context);
    if (!tellOutcome(buyer, outcome, flags, context)) waiting.push(buyer);
  }
  output.result({ ...about, ...signature, waiting });
  output.say(
    `${output.tone("good", "done")} for ${String(buyers.length - waiting.length)} of ${String(buyers.length)}`,
  );
  return waiting.length === 0 ? EXIT.ok : EXIT.failed;
}

/**
 * A product by its id or its name. One that the policy dropped is known by its id only: dropping it may be why
 * removals are held.
 */
function productNamed(typed: string,
  policy: Policy): { readonly id: string; readonly name: string; readonly isKnown: boolean } {
  const named = typed.trim();
  const products = [...policy.values()];
  const found = products.find(({ id }) => id === named) ??
    products.find(({ name }) => name.toLowerCase() === named.toLowerCase());
  return found === undefined
    ? { id: named, name: `product ${named}`, isKnown: false }
    : { id: found.id, name: found.name, isKnown: true };
}

function isHeld({ sources, held }: BuyerRecord, productId: string): boolean {
  return Object.entries(sources).some(([id, source]) => source.productId === productId && Object.hasOwn(held, id));
}
