/** What `npm run proof:dynamodb` says where it can't run: no real DynamoDB Local is needed for that. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";

function prove(folder: string | undefined): { readonly status: number | null; readonly told: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["proof/dynamodb.ts"], { encoding: "utf8",
    env: { ...process.env, DYNAMODB_LOCAL: folder } });
  return { status, told: stdout + stderr };
}

describe("npm run proof:dynamodb", () => {
  it.each([[undefined, 0], ["/nowhere", 1]])("given %s, says loudly that it skipped everything, and ends with %i",
    (folder, ends) => {
      const { status, told } = prove(folder);
      expect(status).toBe(ends);
      expect(told).toMatch(/^SKIPPED: .*DYNAMODB_LOCAL/);
    });

  it("fails where what it is given is no DynamoDB Local, and says so", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "no-dynamodb-"));
    try {
      writeFileSync(path.join(folder, "DynamoDBLocal.jar"), "");
      const { status, told } = prove(folder);
      // Where there is no Java either, it says that.
      if (told.startsWith("SKIPPED")) expect(told).toContain("java");
      else {
        expect(status).toBe(1);
        expect(told).toContain("DynamoDB Local ended with 1");
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
