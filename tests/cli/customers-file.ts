import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll } from "@jest/globals";

/** Makes files of customers in a folder that is there while the tests of a file run; gives their paths. */
export function customersFiles(): (text: string, name?: string) => string {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "customers-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return (text, name = "customers.csv") => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
}
