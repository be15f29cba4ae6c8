import { beforeEach, describe, expect, it } from "@jest/globals";

import { type SendingWindow, sendingWindow, type Told } from "../../cli/backfill/window.ts";
import { saleShape } from "../../src/gumroad/rows.ts";
import type { OwnedSource } from "../../src/ledger/survey.ts";

const COUNT_LAG = 90_000;
const POLL = 2_000;

let sent: string[];
let depths: number[];
let known: Set<string>;
let waits: number;
/** What happens while the window waits, by how often it has. */
let meanwhile: (waits: number) => void;
let window: SendingWindow;

const told = (id: string): Told => ({
  row: saleShape.parse({ id, product_id: "p", purchase_email: `${id}@example.com`, created_at: "2026-01-05T19:38:56Z",
    price: 0 }),
  message: { message: { v: 1, kind: "due", requestId: "r", buyer: `${id}@example.com` }, id },
});
const many = (count: number, name = "s") =>
  Array.from({ length: count }, (_, index) => told(`${name}${String(index)}`));

beforeEach(() => {
  [sent, depths, known, waits, meanwhile] = [[], [], new Set(), 0, () => undefined];
  const owned: OwnedSource = { buyer: "x", known: undefined, record: undefined };
  window = sendingWindow({ queue: { send: async (messages) => {
    sent.push(...messages.map(({ id }) => id));
  }, depth: async () => depths.shift() ?? 0 }, survey: { owned: async (ids) => new Map(ids.map((id) => [id, owned])) },
    isKnown: (row) => known.has(row.id), wait: async () => {
      waits += 1;
      meanwhile(waits);
    }, pollMs: POLL, countLagMs: COUNT_LAG });
});

describe("the window of a backfill", () => {
  it("has room at once for a first page, and for more once the ledger has enough of what was sent", async () => {
    await window.room();
    await window.send(many(20));
    expect(sent).toHaveLength(20);
    meanwhile = (count) => {
      if (count === 3) known.add("s0");
    };
    await window.room();
    expect(waits).toBe(3);
    expect(window.taken).toBe(1);
  });

  it("waits for a busy queue, whoever's messages are in it", async () => {
    depths = [400, 200, 50, 21, 20];
    await window.room();
    expect(waits).toBe(4);
  });

  it("doesn't trust an empty count that may be a minute old", async () => {
    await window.send(many(20));
    meanwhile = (count) => {
      if (count === 20) known.add("s7");
    };
    await window.room();
    expect(waits).toBe(20);
    expect(window.untaken).toEqual([]);
  });

  it("gives up on what an empty queue has not brought after that", async () => {
    await window.send(many(2));
    known.add("s0");
    await window.emptied();
    expect(waits).toBe(COUNT_LAG / POLL);
    expect({ taken: window.taken, untaken: window.untaken }).toEqual({ taken: 1, untaken: ["s1"] });
  });

  it("stops after five minutes in which nothing got on", async () => {
    meanwhile = () => depths.push(300);
    depths = [300];
    await expect(window.room()).rejects.toMatchObject({ code: "BACKFILL_STALLED",
      message: expect.stringContaining("(300 messages in the queue)") });
    expect(waits).toBe(150);
  });

  it("doesn't stop while the queue gets emptier, however slowly", async () => {
    let depth = 400;
    meanwhile = (count) => {
      if (count % 100 === 0) depth -= 100;
      depths.push(depth);
    };
    depths = [400];
    await window.room();
    expect(waits).toBe(400);
  });

  it("ends with other people's messages still resting in the queue", async () => {
    await window.send(many(1));
    known.add("s0");
    meanwhile = () => depths.push(3);
    depths = [3];
    await window.emptied();
    expect(waits).toBe(COUNT_LAG / POLL);
  });
});
