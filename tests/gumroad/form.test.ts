import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { FormError, nestedOf, parseForm, textOf, withoutPrivateFields,
  withoutRetryCount } from "../../src/gumroad/form.ts";
import { readPing } from "../../src/gumroad/ping.ts";
import { seed } from "../properties/arbitraries.ts";

const bodies = readdirSync("fixtures/pings").map((file) => readFileSync(`fixtures/pings/${file}`, "utf8"));

describe("a form", () => {
  it("keeps nested keys and lists", () => {
    const form = parseForm(
      "card%5Bvisual%5D=x&old_plan%5Btier%5D%5Bname%5D=Basic&purchase_ids%5B%5D=a&purchase_ids%5B%5D=b",
    );
    expect(textOf(nestedOf(form, "card"), "visual")).toBe("x");
    expect(textOf(nestedOf(nestedOf(form, "old_plan"), "tier"), "name")).toBe("Basic");
    expect(form["purchase_ids"]).toEqual(["a", "b"]);
  });

  it("restores brackets that Gumroad encodes twice in a key, and leaves those in values alone", () => {
    const form = parseForm("custom_fields%5BCompany%20%255Bfor%20invoice%255D%5D=A%255B");
    expect(textOf(nestedOf(form, "custom_fields"), "Company [for invoice]")).toBe("A%5B");
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("takes a field called %s as nothing but a field",
    (key) => {
      const form = parseForm(`${key}=1&${key}%5Bx%5D=2&custom_fields%5B${key}%5D%5Bpolluted%5D=yes`);
      expect(Object.getPrototypeOf(form)).toBeNull();
      expect({}).not.toHaveProperty("polluted");
      expect({}).not.toHaveProperty("x");
    });

  it("reads an empty value, a list and a missing field as no text", () => {
    const form = parseForm("nil=&list%5B%5D=1&twice=1&twice=2");
    expect([textOf(form, "nil"), textOf(form, "list"), textOf(form, "twice"), textOf(form, "missing"),
      textOf(form, "toString")]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it("refuses what is deeper or longer than any ping", () => {
    expect(() => parseForm("a[b][c][d]=1")).not.toThrow();
    expect(() => parseForm("a[b][c][d][e]=1")).toThrow(FormError);
    expect(() => parseForm("a=1&".repeat(2001))).toThrow(/more than 2000 fields/);
  });

  it(`is read without an error of another kind, whatever the body (seed ${String(seed)})`, () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }),
          fc.array(
            fc.constantFrom("a", "email", "[", "]", "%5B", "%255D", "%", "=", "&", "__proto__", "%E0%A4%A", "."),
            { maxLength: 60 },
          ).map((parts) => parts.join(""))),
        (body) => {
          try {
            parseForm(body);
          } catch (error) {
            expect(error).toBeInstanceOf(FormError);
          }
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});

/** The ping that a body is read as, or what is wrong with it. */
function readable(body: string): unknown {
  try {
    return readPing(parseForm(body));
  } catch (error) {
    return String(error);
  }
}

describe("what is kept of a body", () => {
  it("holds every field that is used, and nothing else: no card, name, address, licence or country", () => {
    for (const body of bodies) {
      const kept = withoutPrivateFields(body);
      expect(decodeURIComponent(kept)).not.toMatch(
        /card|full_name|street_address|zip_code|city=|country|license_key|shipping|url_params|Acme/,
      );
      expect(readable(kept)).toEqual(readable(body));
    }
  });

  it("holds the names of custom fields, which may be what is wrong, and no answer to them", () => {
    expect(
      withoutPrivateFields(
        "sale_id=x&Address=High%20St&custom_fields%5BAddress%5D=High%20St&custom_fields%5Bsale_id%5D=1",
      ),
    ).toBe("sale_id=&custom_fields%5BAddress%5D=&custom_fields%5Bsale_id%5D=");
  });

  it("is taken from a body that can't be parsed, too, and is nothing of one that is no form", () => {
    expect(withoutPrivateFields("test[b][c][d][e]=1&card%5Bvisual%5D=4242&%E0%A4%A=1")).toBe("test[b][c][d][e]=1");
    expect(withoutPrivateFields("sale_id=%E9x&license_key=1")).toBe("sale_id=%E9x");
    expect(withoutPrivateFields('{"email":"ann@example.com","card":"4242"}')).toBe("");
  });

  it("is the same for a ping and its retry", () => {
    const [sale, retry] = ["sale", "sale-retry"].map((name) => readFileSync(`fixtures/pings/${name}.txt`, "utf8"));
    expect(retry).not.toBe(sale);
    expect(withoutRetryCount(retry!)).toBe(sale);
  });
});
