import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { transformSync } from "esbuild";

import { defineProducts } from "../../src/config/products-file.ts";

/** The policy that a source of src/products.ts defines. Throws ConfigError as the file itself would. */
export function policyIn(source: string) {
  const { code } = transformSync(source.replace(/^import .*$/m, ""), { loader: "ts" });
  return new Function("defineProducts", code.replace("export default ", "return "))(defineProducts);
}

const root = path.resolve(import.meta.dirname, "../..");

/** What the type checker says of each of these sources of src/products.ts, with this project's settings. */
export async function typeErrorsIn(...sources: readonly string[]): Promise<string[][]> {
  mkdirSync(path.join(root, ".build"), { recursive: true });
  const folder = mkdtempSync(path.join(root, ".build/types-"));
  try {
    const files = sources.map((_, place) => `products-${String(place)}.ts`);
    for (const [place, source] of sources.entries()) {
      writeFileSync(path.join(folder, files[place]!), source.replace('"./config/', '"../../src/config/'));
    }
    writeFileSync(path.join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", include: [], files, compilerOptions: { types: [] } }));
    const found = await new Promise<string>((resolve) => {
      execFile(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty",
        "false"], (_, stdout) => resolve(stdout));
    });
    const lines = found.split("\n").filter((line) => line !== "");
    return files.map((file) => lines.filter((line) => line.includes(`${file}(`)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
