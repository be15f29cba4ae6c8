import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { readPolicy, withProducts } from "../../scripts/bundling/policy.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "policy-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function failureOf(name: string, ...entries: readonly string[]): Promise<string> {
  return failureOfFile(name, `export default defineProducts([\n${entries.join("\n")}\n]);`);
}

async function failureOfFile(name: string, text: string): Promise<string> {
  const file = path.join(folder, `${name}.ts`);
  const config = JSON.stringify(pathToFileURL(path.resolve("src/config/products-file.ts")).href);
  writeFileSync(file, `import { defineProducts } from ${config};\n${text}`);
  return readPolicy(file).then((policy) => void withProducts(policy)).then(() => "",
    (error: unknown) => String(error));
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

  it("without a comma in the same line is refused with the place", async () => {
    expect(await failureOf("inline", '{ id: "zGyG_1JQunZuizwqd9CP7g==" name: "Handbook", roles: ["book"] },')).toMatch(
      /line 3, column 34: .* \(a comma may be missing before that\)/,
    );
  });

  it.each([
    { name: "named", text: "export const x = 1;", says: 'it has to say "export default defineProducts([ … ])"' },
    { name: "list", text: "export default [];", says: 'it has to say "export default defineProducts([ … ])"' },
    { name: "number", text: "export default 5;", says: 'it has to say "export default defineProducts([ … ])"' },
    { name: "object", text: "export default defineProducts({});", says: "its products are no list" },
    { name: "empty", text: "export default defineProducts([]);", says: "it lists no product, so nobody would" },
  ])("that says no policy is refused in words: $text", async ({ name, text, says }) => {
    expect(await failureOfFile(name, text)).toContain(`src/products.ts: ${says}`);
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
