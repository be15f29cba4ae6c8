import { randomUUID } from "node:crypto";

import * as z from "zod";

import { type SourceId } from "../../src/access/facts.ts";
import { contentsOf, type Policy, type Product } from "../../src/access/policy.ts";
import { roleNames } from "../../tenant/role-names.ts";
import { ConfigError, NeedsPersonError } from "../../src/errors.ts";
import { sqsQueue } from "../../src/queue/queue.ts";
import { pingUrl } from "../pings/ping-url.ts";
import { tokensOf } from "../setup/values.ts";
import type { Stage } from "../stage/stage.ts";
import { readStored } from "../stage/secrets.ts";

/** How a throwaway buyer comes to a role, and loses it again. */
export interface SmokeWay {
  readonly name: WayName;
  /** For people: what is done. */
  readonly about: string;
  readonly roles: readonly string[];
  /** Begins: the roles are to come. */
  give(buyer: string): Promise<void>;
  /** Ends: the roles are to go. */
  take(buyer: string): Promise<void>;
  /** What it left in the ledger, beside the buyer's own items. */
  sources(): readonly SourceId[];
}

/**
 * `shop`: the emulated shop sells and refunds for real, and can be read back. `pings`: made-up pings, which a service
 * takes that doesn't read purchases back. `grant`: a complimentary role through the queue, which works anywhere but
 * leaves the ping out.
 */
export type WayName = "shop" | "pings" | "grant";

/** A complimentary role ends by itself, should the taking never happen. */
const GRANT_MS = 3_600_000;
const CALL_MS = 30_000;

/** The best way for a stage: the one that tests the most of it. */
export async function bestWay(stage: Stage): Promise<WayName> {
  if (stage.emulators !== null) return "shop";
  return (await readStored(stage, "gumroad")).state === "good" ? "grant" : "pings";
}

/**
 * Makes ready for a way.
 * @throws {ConfigError} SMOKE_WAY, SMOKE_ROLE where the stage or the policy doesn't allow it
 */
export async function smokeWay(name: WayName, stage: Stage, policy: Policy,
  role: string | undefined): Promise<SmokeWay> {
  if (role !== undefined && !roleNames(policy).includes(role)) {
    throw new ConfigError("SMOKE_ROLE", `no product of the policy gives the role ${role}`);
  }
  switch (name) {
    case "shop":
      return shopWay(stage, policy, role);
    case "pings":
      return pingsWay(stage, policy, role);
    case "grant":
      return grantWay(stage, policy, role);
  }
}

const productsShape = z.object({ products: z.array(z.object({ id: z.string() })) });
const soldShape = z.object({ sales: z.array(z.object({ id: z.string() })).min(1),
  pings: z.array(z.object({ outcome: z.unknown() })) });

async function shopWay({ emulators }: Stage, policy: Policy, role: string | undefined): Promise<SmokeWay> {
  if (emulators === null) {
    throw new ConfigError("SMOKE_WAY",
      "--way shop needs the Gumroad emulator of npm start: on a deployed stage use --way grant");
  }
  const control = async (path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${emulators.gumroad}/_emulator/${path}`, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_MS),
    });
    const text = await answer.text();
    if (!answer.ok) throw new NeedsPersonError("SMOKE_SHOP", `the emulated shop refused ${path}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  const sold = new Set(productsShape.parse(await control("products")).products.map(({ id }) => id));
  const product = plainProduct(policy, role, (id) => sold.has(id));
  let sale = "";
  return { name: "shop", about: `the emulated shop sells and refunds ${product.name}`, roles: product.roles,
    give: async (buyer) => {
      sale = soldShape.parse(await control("acts/sell", { product: product.id, email: buyer })).sales[0]?.id ?? "";
    }, take: async () => {
      await control("acts/refund", { sale });
    }, sources: () => (sale === "" ? [] : [`sale:${sale}`]) };
}

async function pingsWay(stage: Stage, policy: Policy, role: string | undefined): Promise<SmokeWay> {
  const [ping, gumroad] = await Promise.all([readStored(stage, "ping"), readStored(stage, "gumroad")]);
  if (ping.state !== "good") {
    throw new ConfigError("SMOKE_WAY", "--way pings needs a complete secret ping: run setup first");
  }
  if (gumroad.state === "good") {
    throw new ConfigError("SMOKE_WAY",
      "--way pings: this stage reads purchases back, so made-up pings give nothing; use --way grant");
  }
  const product = plainProduct(policy, role, () => true);
  const sale = `smoke-${randomUUID()}`;
  const sellerId = typeof ping.value["seller_id"] === "string" ? ping.value["seller_id"] : "";
  const url = pingUrl(stage, tokensOf(ping.value)[0]);
  const soldAt = `${new Date().toISOString().slice(0, 19)}Z`;
  const post = async (buyer: string, event: "sale" | "refund"): Promise<void> => {
    const fields = { seller_id: sellerId, product_id: product.id, product_name: product.name, email: buyer, price: "0",
      sale_id: sale, sale_timestamp: soldAt, refunded: String(event === "refund"), disputed: "false",
      dispute_won: "false", resource_name: event };
    const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(CALL_MS) });
    if (!answer.ok) {
      throw new NeedsPersonError("SMOKE_PING",
        `the ping URL answered ${String(answer.status)}: ${await answer.text()}`);
    }
  };
  return { name: "pings", about: `made-up pings sell and refund ${product.name}`, roles: product.roles,
    give: (buyer) => post(buyer, "sale"), take: (buyer) => post(buyer, "refund"), sources: () => [`sale:${sale}`] };
}

function grantWay(stage: Stage, policy: Policy, wanted: string | undefined): SmokeWay {
  const role = wanted ?? roleNames(policy)[0];
  if (role === undefined) throw new ConfigError("SMOKE_ROLE", "the policy gives no role at all");
  const queue = sqsQueue(stage.sqs, stage.queue);
  const source: SourceId = `grant:${role}`;
  const act = async (buyer: string, kind: "give" | "take"): Promise<void> => {
    const [id, at] = [randomUUID(), stage.now()];
    const decision = kind === "give" ? { kind, until: at + GRANT_MS } : { kind };
    await queue.send({ v: 1, kind: "act", requestId: id, buyer, hops: 0, source,
      act: { at, id, by: "smoke", why: "a test of the whole way", decision } }, id);
  };
  return { name: "grant", about: `a complimentary ${role} is given and taken`, roles: [role],
    give: (buyer) => act(buyer, "give"), take: (buyer) => act(buyer, "take"), sources: () => [] };
}

/** A product whose refund surely ends what its sale gave: no bundle, no membership, no variants. */
function plainProduct(policy: Policy, role: string | undefined,
  isSold: (id: string) => boolean): { readonly id: string; readonly name: string; readonly roles: readonly string[] } {
  for (const product of policy.values()) {
    const roles = plainRoles(product);
    if (roles.length > 0 && isSold(product.id) && (role === undefined || roles.includes(role))) {
      return { id: product.id, name: product.name, roles };
    }
  }
  throw new ConfigError("SMOKE_ROLE",
    `no single product of the policy gives ${role ?? "a role"} and takes it back with a refund: use --way grant`);
}

function plainRoles(product: Product): readonly string[] {
  if ("variant" in product || contentsOf(product).length > 0 || product.plan !== undefined ||
    product.onRefund === "keep") return [];
  return product.roles ?? [];
}
