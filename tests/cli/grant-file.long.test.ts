import { writeFileSync } from "node:fs";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { recordOf, startLocal } from "../pipeline/local-stack.ts";
import { customersFiles } from "./customers-file.ts";
import { cliOn } from "./local-cli.ts";

const write = customersFiles();

describe("grant --file", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startLocal({ maxWorkers: 1 });
  });
  afterAll(() => stack.stop());
  let file: string;
  beforeEach(() => {
    file = write(
      "email,role,note\n" + Array.from({ length: 12 }, (_, nth) =>
        `c${String(nth)}@example.com,club,${nth === 0 ? "VIP" : ""}\n`).join(""),
    );
  });
  const run = (line: string) => cliOn(stack)(line);
  const withRole = () => stack.auth0.users().filter(({ roles }) => roles.includes("club")).length;

  it("gives all, each once, and nothing where a role is unknown", async () => {
    const bad = write("email,role\nann@example.com,club\nbo@example.com,king\n", "bad.csv");
    expect(await run(`grant --file ${bad} --why import --yes`)).toMatchObject({ code: 2,
      err: expect.stringContaining('line 3: there is no role "king"') });
    expect(stack.auth0.users()).toEqual([]);
    expect(await run(`grant --file ${file} --why import`)).toMatchObject({ code: 2,
      err: expect.stringContaining("say --yes") });
    expect((await run(`grant --file ${file} --dry-run`)).out).toContain("  line 2: club for c0@example.com");
    expect(withRole()).toBe(0);

    expect(await run(`grant --file ${file} --why import --by rita --yes`)).toMatchObject({ code: 0,
      out: expect.stringContaining("12 to give, 0 done before\ndone for 12 of 12 buyers") });
    expect(withRole()).toBe(12);
    expect((await recordOf(stack, "c0@example.com"))?.sources["grant:club"]?.act).toMatchObject({ by: "rita",
      why: "VIP" });
    expect((await recordOf(stack, "c1@example.com"))?.sources["grant:club"]?.act?.why).toBe("import");
  });

  it("run again does only what is left, and leaves alone what somebody took back since", async () => {
    await run("revoke c1@example.com club --why fraud");
    writeFileSync(file, "c99@example.com,club,late\n", { flag: "a" });
    const writes = (await recordOf(stack, "c2@example.com"))?.version;
    const { code, out } = await run(`grant --file ${file} --why import --yes`);
    expect(out).toContain("1 to give, 11 done before, 1 left alone");
    expect(out).toContain("line 3: club of c1@example.com: somebody decided otherwise since");
    expect([code, withRole(), (await recordOf(stack, "c2@example.com"))?.version]).toEqual([0, 12, writes]);
  });

  it("is undone with revoke --file, but for what an operator gave since, and can be done again", async () => {
    await run("grant c3@example.com club --why friend");
    const { code, out } = await run(`revoke --file ${file} --why mistake --yes`);
    expect(out).toContain("10 to take back, 0 done before, 2 left alone");
    expect(out).toContain("club of c3@example.com: this file didn't give it, or somebody decided otherwise since");
    expect([code, stack.auth0.rolesOfEmail("c0@example.com"), stack.auth0.rolesOfEmail("c3@example.com")]).toEqual([
      0,
      [],
      ["club"],
    ]);
    expect((await run(`revoke --file ${file} --why mistake --yes`)).out).toContain("0 to take back, 10 done before");
    expect((await run(`grant --file ${file} --why again --yes`)).code).toBe(0);
    expect(stack.auth0.rolesOfEmail("c0@example.com")).toEqual(["club"]);
  });

  it("needs either a buyer or a file", async () => {
    expect((await run("grant --why x")).code).toBe(2);
    expect((await run(`grant ann@example.com club --file ${file} --why x`)).code).toBe(2);
    expect((await run("revoke --why x")).code).toBe(2);
  });
});
