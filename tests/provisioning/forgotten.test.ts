import { describe, expect, it } from "@jest/globals";

import { emptySource, type SourceId } from "../../src/access/facts.ts";
import { NeedsPersonError, TemporaryError } from "../../src/errors.ts";
import { parseForm } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import { newRecord, type BuyerRecord } from "../../src/ledger/record.ts";
import { forgetSecretShape, isForgotten, whoWasForgotten } from "../../src/provisioning/forgotten.ts";
import type { MessageOf, Message } from "../../src/queue/message.ts";
import { charge, source } from "../access/purchases.ts";
import { body, changed } from "../pipeline/local-stack.ts";

const ANN = "ann@example.com";
const SALE = "sale:fH9XoNJ-gQtcIacRpiKnyg==";
const SOLD = Date.parse("2026-01-05T19:38:56Z");

/** A world in which these were forgotten at these moments, and these sources have an owner. */
function after(forgotten: Readonly<Record<string, number>>, owners: Readonly<Record<string, string>> = {}) {
  return { tombstones: { forgottenAt: async (subject: string) => forgotten[subject] ?? null },
    ledger: { owner: async (id: SourceId) => owners[id] ?? null } };
}

function ping(text: string): MessageOf<"ping"> {
  return { v: 1, kind: "ping", requestId: "r", receivedAt: 0, pingId: "p", buyer: ANN, hops: 0, misses: 0,
    again: false, given: false, ping: readPing(parseForm(text)) };
}

function act(about: SourceId, at: number): MessageOf<"act"> {
  return { v: 1, kind: "act", requestId: "r", buyer: ANN, hops: 0, source: about,
    act: { at, id: "a", by: "op", why: "x", decision: { kind: "take" } } };
}

const unknown = newRecord(ANN);
const dropped = (message: Message, world: ReturnType<typeof after>, record: BuyerRecord = unknown) =>
  isForgotten(message, null, record, world);

describe("a forgotten purchase", () => {
  const world = after({ [SALE]: SOLD + 1, [`buyer:${ANN}`]: SOLD + 1 });

  it("is not brought back by its ping told again, nor by its refund or dispute", async () => {
    expect(await dropped(ping(body("sale")), world)).toBe(true);
    expect(await dropped(ping(body("refund-full")), world)).toBe(true);
    expect(await dropped(ping(body("dispute")), world)).toBe(true);
  });

  it("is not brought back under another email, or by what Gumroad's API says of it", async () => {
    expect(await dropped(ping(changed("sale", { email: "other@example.com" })), after({ [SALE]: SOLD + 1 }))).toBe(
      true,
    );
    const answer = { source: SALE, facts: source("book", [charge({ saleId: "x", soldAt: SOLD })]), owner: ANN,
      spelling: null, others: [] } as const;
    const hint = { v: 1, kind: "hint", requestId: "r", buyer: ANN, hops: 0, saleId: "x", subscriptionId: null,
      sweep: "daily", foundAt: SOLD + 9 } as const;
    expect(await isForgotten(hint, answer, unknown, world)).toBe(true);
    expect(await isForgotten(hint, answer, unknown, after({}))).toBe(false);
  });

  it("counts again once somebody owns it, or has it in the record", async () => {
    expect(await dropped(ping(body("refund-full")), after({ [SALE]: SOLD + 1 }, { [SALE]: ANN }))).toBe(false);
    expect(await dropped(ping(body("refund-full")), world, { ...unknown, sources: { [SALE]: emptySource("book") } }))
      .toBe(false);
  });

  it("is a membership that goes on: a later charge counts, and word of its end alone does not", async () => {
    const [club, renewedAt] = ["subscription:DACURTKJMxmvflxqHGySZQ==", Date.parse("2026-02-05T19:38:00Z")] as const;
    expect(await dropped(ping(body("membership-renewal")), after({ [club]: renewedAt - 1 }))).toBe(false);
    expect(await dropped(ping(body("membership-renewal")), after({ [club]: renewedAt }))).toBe(true);
    expect(await dropped(ping(body("membership-ended")), after({ [club]: SOLD }))).toBe(true);
  });
});

describe("a forgotten buyer", () => {
  it("gets no purchase from before, known at the time or not, and every one from after", async () => {
    expect(await dropped(ping(body("sale")), after({ [`buyer:${ANN}`]: SOLD }))).toBe(true);
    expect(await dropped(ping(body("sale")), after({ [`buyer:${ANN}`]: SOLD - 1 }))).toBe(false);
    expect(await dropped(ping(body("sale")), after({ "buyer:bo@example.com": SOLD + 1 }))).toBe(false);
  });

  it(
    "gets no operator's act from before, and every one from after; a role is given to one person, so its id tells " +
      "nothing",
    async () => {
      expect(await dropped(act("grant:club", 5), after({ [`buyer:${ANN}`]: 5 }))).toBe(true);
      expect(await dropped(act("grant:club", 6), after({ [`buyer:${ANN}`]: 5 }))).toBe(false);
      expect(await dropped(act("grant:club", 5), after({ "grant:club": 5 }))).toBe(false);
      expect(await dropped(act(SALE, 5), after({ [SALE]: 5 }))).toBe(true);
      expect(
        await dropped({ v: 1, kind: "held", requestId: "r", buyer: ANN, productId: "book", decision: "keep", at: 5,
          by: "op", why: "x" }, after({ [`buyer:${ANN}`]: 5 })),
      ).toBe(true);
    },
  );

  it("isn't brought back by a login or an invitation", async () => {
    const login = { v: 1, kind: "bind", requestId: "r", buyer: ANN, spelling: "Ann@Example.com" } as const;
    expect(await dropped(login, after({ [`buyer:${ANN}`]: 5 }))).toBe(true);
    expect(await dropped(login, after({ [`buyer:${ANN}`]: 5 }), { ...unknown, version: 1 })).toBe(false);
    expect(await dropped({ v: 1, kind: "due", requestId: "r", buyer: ANN }, after({ [`buyer:${ANN}`]: 5 }))).toBe(
      false,
    );
  });
});

describe("where nobody was ever forgotten", () => {
  it("nothing is dropped, and nothing is read", async () => {
    expect(await isForgotten(ping(body("sale")), null, unknown, { ledger: after({}).ledger })).toBe(false);
    const opened: string[] = [];
    const none = whoWasForgotten(async () => null, (key) => {
      opened.push(key);
      return { forgottenAt: async () => 1 };
    });
    expect(await none.forgottenAt("sale:1")).toBeNull();
    expect(opened).toEqual([]);
    expect(
      await whoWasForgotten(async () => ({ key: "k" }), () => ({ forgottenAt: async () => 1 })).forgottenAt("sale:1"),
    ).toBe(1);
  });

  it("or is broken, nothing is dropped and no purchase waits; one that can't be read now is waited for", async () => {
    const open = () => ({ forgottenAt: async () => 1 });
    const broken = whoWasForgotten(async () => Promise.reject(new NeedsPersonError("SECRET_INVALID", "mend it")),
      open);
    expect(await broken.forgottenAt("sale:1")).toBeNull();
    const away = whoWasForgotten(async () => Promise.reject(new TemporaryError("SECRET_UNREACHABLE", "away")), open);
    await expect(away.forgottenAt("sale:1")).rejects.toMatchObject({ code: "SECRET_UNREACHABLE" });
  });

  it("the secret needs a key that nobody guesses", () => {
    expect(forgetSecretShape.safeParse({ key: "short" }).success).toBe(false);
    expect(forgetSecretShape.safeParse({ key: "k".repeat(43) }).success).toBe(true);
  });
});
