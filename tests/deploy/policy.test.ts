import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { readPolicy } from "../../scripts/bundling/policy.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "policy-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function failureOf(name: string, ...entries: readonly string[]): Promise<string> {
  const file = path.join(folder, `${name}.ts`);
  const config = JSON.stringify(path.resolve("src/config/products-file.ts"));
  const source = `import { defineProducts } from ${config};\nexport default defineProducts([\n${
    entries.join("\n")
  }\n]);`;
  writeFileSync(file, source);
  return readPolicy(file).then(() => "", (error: unknown) => String(error));
}

describe("src/products.ts", () => {
  it("of this project can be read", async () => {
    expect((await readPolicy()).size).toBeGreaterThan(0);
  });

  it("without a comma is refused with the line", async () => {
    expect(
      await failureOf("comma", '{ id: "zGyG_1JQunZuizwqd9CP7g==", name: "Handbook", roles: ["book"] }',
        '{ id: "Z7kcrf7WgiSjiBnsGYi45w==", name: "Course", roles: ["course"] },'),
    ).toMatch(
      /src\/products.ts can't be read: line 4, column 1: Expected .* \(a comma may be missing in the line before\)/,
    );
  });

  it("with the last part of an address for an id is refused, with what to do", async () => {
    expect(await failureOf("slug", '{ id: "handbook", name: "Handbook", roles: ["book"] },')).toMatch(
      /products.ts, Handbook: "handbook" is no product id, such as \S+\. .* npx gumroad-auth0 products prints the ids/,
    );
  });

  it("with a wrong value is refused in the policy's own words, and one that fails otherwise with that", async () => {
    expect(await failureOf("value", '{ id: "zGyG_1JQunZuizwqd9CP7g==", name: "Handbook", roles: [] },')).toContain(
      'entry 1 (Handbook): "roles" needs at least one role',
    );
    expect(await failureOf("name", "nobodys,")).toContain("src/products.ts can't be read: nobodys is not defined");
  });
});
