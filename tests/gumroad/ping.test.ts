import { readFileSync } from "node:fs";

import { describe, expect, it } from "@jest/globals";

import { factsOfPing, sourceOfPing } from "../../src/gumroad/facts.ts";
import { parseForm, textOf } from "../../src/gumroad/form.ts";
import { isTestPing, pingShape, readPing } from "../../src/gumroad/ping.ts";

const NOW = Date.parse("2026-01-05T19:38:57Z");
const fixture = (name: string) => readFileSync(`fixtures/pings/${name}.txt`, "utf8");
const pingOf = (body: string) => readPing(parseForm(body));
const changed = (body: string, changes: Record<string, string | null>) => {
  const fields = new URLSearchParams(body);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) fields.delete(key);
    else fields.set(key, value);
  }
  return fields.toString();
};

const refusing = (field: string) =>
  expect.objectContaining({ code: "PING_NOT_UNDERSTOOD", message: expect.stringContaining(`The field ${field} `) });

describe("a sale ping", () => {
  it("is read down to the fields that are used", () => {
    expect(pingOf(fixture("sale"))).toEqual({ event: "sale", saleId: "fH9XoNJ-gQtcIacRpiKnyg==", subscriptionId: null,
      productId: "zGyG_1JQunZuizwqd9CP7g==", email: "ann@example.com", spelling: null,
      soldAt: Date.parse("2026-01-05T19:38:56Z"), priceCents: 4900, variants: [], recurrence: null, recurring: false,
      preorder: false, test: false, gift: false, gifter: null, refunded: false, disputed: false, disputeWon: false,
      emailTyped: false });
  });

  it.each<{ file: string; is: object }>([
    { file: "sale-test-purchase", is: { test: true, event: "sale" } },
    { file: "sale-gift", is: { gift: true, priceCents: 0, email: "cy@example.com" } },
    { file: "membership-sale", is: { subscriptionId: "DACURTKJMxmvflxqHGySZQ==", variants: [["Tier", "Basic"]] } },
    { file: "membership-renewal", is: { recurring: true } },
    { file: "refund-full", is: { event: "refund", refunded: true } },
    { file: "refund-partial", is: { event: "refund", refunded: false } },
    { file: "dispute", is: { event: "dispute", disputed: true, disputeWon: false } },
    { file: "dispute-won", is: { event: "dispute_won", disputed: true, disputeWon: true } },
    { file: "sale-unmapped-physical", is: { email: "gil@example.com" } },
    { file: "sale-custom-fields", is: { email: "bo@example.com", emailTyped: false } },
  ])("of $file is understood", ({ file, is }) => {
    expect(pingOf(fixture(file))).toMatchObject(is);
  });

  it.each([" Ann+Course@Example.COM ", "ann+course@example.com"])("has its email normalized, plus sign and all: %s",
    (email) => {
      expect(pingOf(changed(fixture("sale"), { email }))).toMatchObject({ email: "ann+course@example.com" });
    });

  it("keeps the spelling of an email that isn't in lower case, for Auth0's look-up", () => {
    expect(pingOf(changed(fixture("sale"), { email: " Ann@Example.COM " }))).toMatchObject({
      spelling: "Ann@Example.COM",
    });
  });

  it.each<[field: string, value: string | null]>([
    ["seller_id", null],
    ["sale_id", null],
    ["sale_id", ""],
    ["sale_id", "x".repeat(101)],
    ["product_id", null],
    ["email", null],
    ["email", "ann"],
    ["email", `${"a".repeat(250)}@example.com`],
    ["email", "ann@example.com\nbcc@example.com"],
    ["sale_timestamp", "yesterday"],
    ["price", "-1"],
    ["price", "4.90"],
    ["resource_name", null],
    ["resource_name", "purchase"],
    ["resource_name", "toString"],
  ])("is refused, naming %s, when that is %p", (field, value) => {
    expect(() => pingOf(changed(fixture("sale"), { [field]: value }))).toThrow(
      expect.objectContaining({ code: "PING_NOT_UNDERSTOOD",
        message: expect.stringContaining(`The field ${field} `) }),
    );
  });

  it("is refused when a routing field came twice", () => {
    expect(() => pingOf(`${fixture("sale")}&email=eve%40example.com`)).toThrow(refusing("email"));
  });

  it.each(["sale_id", "product_id", "subscription_id", "price", "test", "refunded"])(
    "is refused when a custom field called %s hides Gumroad's own",
    (field) => {
      expect(() => pingOf(`${fixture("sale")}&custom_fields%5B${field}%5D=x`)).toThrow(refusing(field));
    },
  );

  it.each(["+275760-09-12T00:00:00Z", "9000-01-01T00:00:00Z", "-000001-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
    "soon"])("is refused with a time that no sale can have: %s", (sale_timestamp) => {
      expect(() => pingOf(changed(fixture("sale"), { sale_timestamp }))).toThrow(refusing("sale_timestamp"));
    });

  it("says when its email was typed into a custom field of that name", () => {
    expect(pingOf(`${fixture("sale")}&custom_fields%5Bemail%5D=ann%40example.com`)).toMatchObject({
      emailTyped: true,
    });
  });
});

describe("a subscription ping", () => {
  it.each<{ file: string; is: object }>([
    { file: "membership-cancellation",
      is: { event: "cancellation", at: Date.parse("2026-03-05T19:00:00Z"), email: "eve@example.com" } },
    { file: "membership-ended", is: { event: "subscription_ended", reason: "cancelled" } },
    { file: "membership-restarted", is: { event: "subscription_restarted" } },
    { file: "membership-upgrade",
      is: { event: "subscription_updated", type: "upgrade",
        from: { tier: "Basic", recurrence: "monthly", priceCents: 1000, quantity: 1 },
        to: { tier: "Premium", recurrence: "monthly", priceCents: 3000, quantity: 1 } } },
  ])("of $file is understood, and names no seller", ({ file, is }) => {
    expect(pingOf(fixture(file))).toMatchObject({ subscriptionId: "DACURTKJMxmvflxqHGySZQ==", ...is });
    expect(textOf(parseForm(fixture(file)), "seller_id")).toBeUndefined();
  });

  it.each([["new_plan[tier][name]", 300], ["old_plan[recurrence]", 100]])("is refused with a longer %s than %i",
    (field, longest) => {
      const withOneOf = (length: number) =>
        pingOf(changed(fixture("membership-upgrade"), { [field]: "a".repeat(length) }));
      expect(withOneOf(longest).event).toBe("subscription_updated");
      expect(() => withOneOf(longest + 1)).toThrow("longer than any of Gumroad's");
    });

  it("with a reason that Gumroad may invent is an end all the same", () => {
    expect(pingOf(changed(fixture("membership-ended"), { ended_reason: "merged" }))).toMatchObject({
      reason: "unknown",
    });
  });

  it.each([
    ["membership-ended", "ended_at"],
    ["membership-cancellation", "cancelled_at"],
    ["membership-restarted", "restarted_at"],
    ["membership-upgrade", "effective_as_of"],
    ["membership-upgrade", "type"],
    ["membership-ended", "subscription_id"],
    ["membership-ended", "user_email"],
  ])("of %s is refused without %s", (file, field) => {
    expect(() => pingOf(changed(fixture(file), { [field]: null }))).toThrow(refusing(field));
  });
});

describe("a test ping", () => {
  it("is told by its missing resource name, unlike the seller's own purchase", () => {
    expect(isTestPing(parseForm(fixture("test-ping")))).toBe(true);
    expect(isTestPing(parseForm(fixture("sale-test-purchase")))).toBe(false);
    expect(isTestPing(parseForm(fixture("sale")))).toBe(false);
  });
});

describe("the facts of a ping", () => {
  it("belong to the subscription where there is one, so that renewals fold into it", () => {
    expect(sourceOfPing(pingOf(fixture("sale")))).toBe("sale:fH9XoNJ-gQtcIacRpiKnyg==");
    for (const file of ["sale", "renewal", "ended", "upgrade"]) {
      expect(sourceOfPing(pingOf(fixture(`membership-${file}`)))).toBe("subscription:DACURTKJMxmvflxqHGySZQ==");
    }
  });

  it.each<{ file: string; is: object }>([
    { file: "sale", is: { seen: true, refunded: false, partlyRefunded: false, disputed: false } },
    { file: "refund-full", is: { seen: false, refunded: true, partlyRefunded: false } },
    { file: "refund-partial", is: { seen: false, refunded: false, partlyRefunded: true } },
    { file: "dispute-won", is: { seen: false, disputed: true, disputeWon: true } },
  ])("of $file are its charge's flags", ({ file, is }) => {
    expect(factsOfPing(pingOf(fixture(file)), NOW).charges).toEqual([expect.objectContaining(is)]);
  });

  it("of a sale that is sent again later include what happened since", () => {
    expect(factsOfPing(pingOf(changed(fixture("sale"), { refunded: "true" })), NOW).charges).toEqual([
      expect.objectContaining({ seen: true, refunded: true }),
    ]);
  });

  it.each(["cancellation", "ended", "restarted", "upgrade"])("of membership-%s can travel through the queue",
    (file) => {
      const ping = pingOf(fixture(`membership-${file}`));
      expect(pingShape.parse(JSON.parse(JSON.stringify(ping)))).toEqual(ping);
      expect(factsOfPing(ping, NOW).charges).toEqual([]);
    });
});

describe("what can't be seen", () => {
  it.each(["an\u001bn", "an\u0000n", "an\u202en", "an\u200bn", "ann\u00ad", "an\ufeffn", "a\u{e0061}nn"])(
    "is refused in an email: %j",
    (name) => {
      for (const email of [`${name}@example.com`, `ann@${name}.com`]) {
        expect(() => pingOf(changed(fixture("sale"), { email }))).toThrow("no email address");
      }
    },
  );

  it("is left out of an option's name where it is a control character", () => {
    const osc = "\u001b]52;c;cm0gLXJm\u0007";
    expect(pingOf(changed(fixture("membership-sale"), { "variants[Tier]": `Ba${osc}sic\r\n` }))).toMatchObject({
      variants: [["Tier", "Ba]52;c;cm0gLXJmsic"]],
    });
    expect(pingOf(changed(fixture("membership-upgrade"), { "new_plan[tier][name]": "Pre\u0007mium" }))).toMatchObject({
      to: { tier: "Premium" },
    });
  });
});

describe("an id", () => {
  it.each(["%00", "<script>", "../../user", "a\nb", "a/b"])("is refused where it can be none of Gumroad's: %j",
    (id) => {
      expect(() => pingOf(changed(fixture("sale"), { sale_id: id }))).toThrow(refusing("sale_id"));
      expect(() => pingOf(changed(fixture("sale"), { subscription_id: id }))).toThrow(refusing("subscription_id"));
      expect(() => pingOf(changed(fixture("membership-ended"), { subscription_id: id }))).toThrow(
        refusing("subscription_id"),
      );
    });
});
