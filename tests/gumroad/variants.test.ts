import { describe, expect, it } from "@jest/globals";

import { parseForm } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import { variantsIn } from "../../src/gumroad/variants.ts";

describe("chosen options", () => {
  it.each([
    { options: undefined, are: [] },
    { options: "", are: [] },
    { options: {}, are: [] },
    { options: { Tier: "Basic", Size: "L" }, are: [["Size", "L"], ["Tier", "Basic"]] },
    { options: { "Ti\u0007er": "Ba\u0000sic" }, are: [["Tier", "Basic"]] },
    { options: JSON.parse('{"__proto__": "x"}'), are: [["__proto__", "x"]] },
  ])("are read from $options", ({ options, are }) => {
    expect(variantsIn(options)).toEqual(are);
  });

  it.each([
    { options: "Basic" },
    { options: ["Basic"] },
    { options: { Tier: 1 } },
    { options: { Tier: "x".repeat(301) } },
    { options: { ["x".repeat(301)]: "Basic" } },
    { options: Object.fromEntries(Array.from({ length: 21 }, (_, nth) => [String(nth), "x"])) },
  ])("are none in $options", ({ options }) => {
    expect(variantsIn(options)).toBeNull();
  });
});

describe("a change of plan", () => {
  const change = (tier: string) =>
    readPing(
      parseForm(
        new URLSearchParams({ resource_name: "subscription_updated", subscription_id: "sub", product_id: "club",
          user_email: "ann@example.com", effective_as_of: "2026-01-05T19:38:56Z", type: "upgrade",
          "old_plan[tier][name]": "Basic", "new_plan[tier][name]": tier }).toString(),
      ),
    );

  it("names a tier of as many characters as a sale may", () => {
    expect(change("x".repeat(300))).toMatchObject({ to: { tier: "x".repeat(300) } });
    expect(() => change("x".repeat(301))).toThrow(expect.objectContaining({ code: "PING_NOT_UNDERSTOOD" }));
  });
});
