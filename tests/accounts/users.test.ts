import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { accountsTable, createUsers, type Users } from "../../src/accounts/users.ts";
import { type LocalTable, localTable } from "./accounts-stage.ts";

let table: LocalTable;
let users: Users;

beforeAll(async () => {
  table = await localTable();
  users = createUsers(accountsTable(table.client, table.name));
});
afterAll(() => table.close());

const user = (username: string, passwordHash = "hash") => ({ username, createdAt: "2026-11-22T10:00:00.000Z",
  passwordHash });

describe("createUsers", () => {
  it("finds a user that it created, and nobody else", async () => {
    await users.create(user("ann"));

    expect(await users.find("ann")).toEqual(user("ann"));
    expect(await users.find("bob")).toBeUndefined();
    expect(await users.find("__proto__")).toBeUndefined();
  });

  it("keeps the first of many at once, and tells it to all of them", async () => {
    const hashes = Array.from({ length: 20 }, (_, index) => `hash ${String(index)}`);

    const kept = await Promise.all(hashes.map((hash) => users.create(user("carol", hash))));

    expect(new Set(kept.map(({ passwordHash }) => passwordHash)).size).toBe(1);
    expect(await users.find("carol")).toEqual(kept[0]);
  });

  it("replaces the hash that was read, and no other", async () => {
    const dan = await users.create(user("dan", "old"));

    expect(await users.replaceHash(dan, "new")).toBe(true);
    expect(await users.replaceHash(dan, "late")).toBe(false);

    expect(await users.find("dan")).toEqual(user("dan", "new"));
  });

  it("knows a replacement again whose answer got lost", async () => {
    const fay = await users.create(user("fay", "old"));

    expect([await users.replaceHash(fay, "new"), await users.replaceHash(fay, "new")]).toEqual([true, true]);
  });

  it("makes no user where there was none to replace the hash of", async () => {
    expect(await users.replaceHash(user("eve"), "new")).toBe(false);

    expect(await users.find("eve")).toBeUndefined();
  });

  it("calls a table that is not there a temporary trouble", async () => {
    const lost = createUsers(accountsTable(table.client, "no-such-table"));

    await expect(lost.find("ann")).rejects.toMatchObject({ name: "TemporaryError", code: "ACCOUNTS_UNREACHABLE" });
  });
});
