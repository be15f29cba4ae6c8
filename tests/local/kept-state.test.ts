import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

import { type Stack, startStack } from "../../local/stack.ts";

const here = (name: string) => path.join(import.meta.dirname, "fixtures", name);
const MONTH = 31 * 86_400_000;
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "kept-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const start = () =>
  startStack({ bundlesDir: here("functions"), templateFile: here("serverless.yml"), dataDir, gumroad: { deliver: () =>
    200 } });
const salesIn = ({ gumroad }: Stack) => gumroad.sales.map(({ id, email }) => ({ id, email }));

describe("with a data folder, a stack", () => {
  it("is the same after a restart: users and roles, the shop's sales, what falls due, and the time", async () => {
    const first = await start();
    const { user_id: id } = first.auth0.addUser({ email: "eve@example.com", verified: true, roles: ["club"] });
    first.gumroad.sell({ product: "proclub", email: "eve@example.com" });
    await first.advance(MONTH);
    const sales = salesIn(first);
    expect(sales).toHaveLength(2);
    await first.stop();

    const second = await start();
    expect(second.auth0.users()).toMatchObject([{ user_id: id, roles: ["club"] }]);
    expect(salesIn(second)).toEqual(sales);
    expect(second.gumroad.now() - Date.now()).toBeGreaterThanOrEqual(MONTH - 1_000);
    await second.advance(MONTH);
    expect(salesIn(second)).toHaveLength(3);
    await second.stop();
  });

  it("says so where it can't be read, and leaves nothing running", async () => {
    writeFileSync(path.join(dataDir, "emulators.json"), '{"aheadMs": 0, "auth0": "", "gumroad": ""}');
    await expect(start()).rejects.toMatchObject({ code: "BAD_DATA_DIR",
      message: expect.stringContaining("emulators.json") });
    rmSync(path.join(dataDir, "emulators.json"));
    await (await start()).stop();
  });
});
