/** Claims, decisions, moves and refunds of one purchase: in whatever order they come, the last decision stands. */
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import type { Act, Claimant, SourceId } from "../../src/access/facts.ts";
import { addFacts } from "../../src/access/merge.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { TemporaryError } from "../../src/errors.ts";
import { newRecord, type BuyerRecord } from "../../src/ledger/record.ts";
import { mergeAct, mergeMoved } from "../../src/provisioning/acts.ts";
import { mergeClaim } from "../../src/provisioning/claims.ts";
import type { Provisioning } from "../../src/provisioning/context.ts";
import type { MessageOf } from "../../src/queue/message.ts";
import { charge, JAN_5, source } from "../access/purchases.ts";
import { never, uncalled } from "./uncalled.ts";

const ANN = "ann@example.com";
const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }]);
const S1: SourceId = "sale:s1";
const names = ["name:cy", "name:di", "name:mob"] as const;
const emails = ["bo@example.com", "may@example.com"] as const;

type Told = MessageOf<"act"> | MessageOf<"claim"> | MessageOf<"moved"> | { readonly kind: "refund";
  readonly buyer: string };

/** The ledger and the queue: a group a buyer, whose first message waits where something isn't there yet. */
class World {
  readonly records = new Map<string, BuyerRecord>([[ANN, { ...newRecord(ANN),
    sources: { [S1]: source("book", [charge()]) } }]]);
  owner = ANN;
  readonly groups = new Map<string, Told[]>();

  readonly #load = (email: string): BuyerRecord => this.records.get(email) ?? newRecord(email);
  readonly #work: Provisioning = { ...uncalled, store: { ...uncalled.store, ledger: {
    ...uncalled.store.ledger,
    load: async (email) => this.#load(email),
    owner: async () => this.owner,
    // What was kept apart once stays on the item; what moves is on its way all the same.
    claim: async () => ({ owner: this.owner, waiting: source("book", [charge()]), wasMoved: this.owner !== ANN }),
    remember: async () => undefined,
    move: async (_id, _from, to) => {
      this.owner = to;
    },
  } }, auth0: { ...uncalled.auth0, find: async () => [] }, queue: { ...uncalled.queue, send: async (message) => {
    if (message.kind !== "claim" && message.kind !== "act" && message.kind !== "moved") {
      throw new Error(message.kind);
    }
    this.send(message);
  } }, policy, now: () => JAN_5 + 100_000 };

  send(message: Told): void {
    this.groups.set(message.buyer, [...(this.groups.get(message.buyer) ?? []), message]);
  }

  /**
   * Works off one message, of the group that `pick` chooses: the first that can be, as those of a batch that fail come
   * again. False: there is none.
   */
  async step(pick: number): Promise<boolean> {
    const groups = [...this.groups];
    const turned = [...groups.slice(pick % groups.length), ...groups.slice(0, pick % groups.length)];
    for (const [email, messages] of turned) {
      for (const message of messages) {
        try {
          const record = await this.#merged(this.#load(email), message);
          if (record !== null) this.records.set(email, record);
          this.groups.set(email, (this.groups.get(email) ?? []).filter((each) => each !== message));
          return true;
        } catch (error) {
          if (!(error instanceof TemporaryError)) throw error;
        }
      }
    }
    return false;
  }

  async #merged(record: BuyerRecord, message: Told): Promise<BuyerRecord | null> {
    switch (message.kind) {
      case "act":
        return mergeAct(record, message, this.#work);
      case "moved":
        return mergeMoved(record, message, this.#work);
      case "claim":
        return mergeClaim(record, message, this.#work);
      case "refund": {
        const known = record.sources[S1];
        if (known === undefined) return null;
        return { ...record, sources: addFacts(record.sources, S1, source("book", [charge({ refunded: true })])) };
      }
    }
  }

  async comeToRest(): Promise<void> {
    for (let pick = 0; await this.step(pick); pick += 1);
  }

  /** Who owns the purchase, and which accounts it is granted to. */
  end() {
    const { claims = [] } = this.#load(this.owner);
    return { owner: this.owner,
      linked: claims.filter(({ by, state }) => state === "granted" && by.startsWith("name:")).map(({ by }) => by),
      left: [...this.groups.values()].flat().length };
  }
}

type Decision = { readonly kind: "grant" | "refuse"; readonly by: Claimant } | { readonly kind: "move";
  readonly to: string } | { readonly kind: "refund" };

const decision: fc.Arbitrary<Decision> = fc.oneof({ weight: 4,
  arbitrary: fc.record({ kind: fc.constantFrom("grant" as const, "refuse" as const),
    by: fc.constantFrom(...names) }) }, { weight: 1,
  arbitrary: fc.record({ kind: fc.constant("grant" as const),
    by: fc.constantFrom(...emails).map((email) => `email:${email}` as const) }) }, { weight: 2,
  arbitrary: fc.record({ kind: fc.constant("move" as const), to: fc.constantFrom(ANN, ...emails) }) }, { weight: 1,
  arbitrary: fc.constant({ kind: "refund" as const }) });

/** What the decisions come to in the order in which they were made. */
function expected(first: Claimant | undefined, decisions: readonly Decision[]) {
  let [owner, linked] = [ANN, first === undefined ? [] : [first]];
  for (const each of decisions) {
    if (each.kind === "move") owner = each.to;
    if (each.kind === "refuse") linked = linked.filter((by) => by !== each.by);
    if (each.kind !== "grant") continue;
    linked = each.by.startsWith("name:") ? [each.by] : [];
    if (each.by.startsWith("email:")) owner = each.by.slice("email:".length);
  }
  return { owner, linked, left: 0 };
}

const at = (nth: number): number => JAN_5 + 1_000 * (nth + 1);

function messageOf(each: Decision, nth: number, buyer: string): Told {
  const requestId = `d${String(nth)}`;
  switch (each.kind) {
    case "refund":
      return { kind: "refund", buyer };
    case "move": {
      const act: Act = { at: at(nth), id: requestId, by: "dee", why: "asked",
        decision: { kind: "move", to: each.to } };
      return { v: 1, kind: "act", requestId, buyer, hops: 0, source: S1, act };
    }
    case "grant":
    case "refuse":
      return { v: 1, kind: "claim", requestId, buyer, hops: 0, saleId: "s1", by: each.by, at: at(nth),
        decided: { state: each.kind === "grant" ? "granted" : "refused", by: "dee", why: "asked" } };
  }
}

describe("decisions about a purchase that an account has", () => {
  it("end the same in every order, wherever they were sent: the last one stands", async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...names]),
        fc.array(decision, { minLength: 1, maxLength: 7 }).chain((decisions) =>
          fc.record({ decisions: fc.constant(decisions), order: fc.shuffledSubarray(decisions.map((_, nth) =>
            nth
          ), { minLength: decisions.length }) })
        ),
        fc.array(fc.record({ steps: fc.nat(3), pick: fc.nat(5), isSentToOwner: fc.boolean() }), { minLength: 7,
          maxLength: 7 }), async (shown, { decisions, order }, turns) => {
        const world = new World();
        for (const by of shown) {
          world.send({ v: 1, kind: "claim", requestId: by, buyer: ANN, hops: 0, saleId: "s1", by, at: JAN_5,
            decided: null });
        }
        await world.comeToRest();
        const unmade = new Set<Decision>();
        for (const [turn, nth] of order.entries()) {
          const { steps, pick, isSentToOwner } = turns[turn] ?? never();
          const made = decisions[nth] ?? never();
          if (made.kind === "move") {
            await world.comeToRest();
            if (made.to === world.owner) {
              unmade.add(made);
              continue;
            }
          }
          world.send(messageOf(made, nth, isSentToOwner ? world.owner : ANN));
          for (let step = 0; step < steps; step += 1) await world.step(pick);
        }
        await world.comeToRest();

        expect(world.end()).toEqual(expected(shown[0], decisions.filter((each) => !unmade.has(each))));
      }),
    );
  });
});
