// What is packed is JavaScript: Node strips no types below node_modules. `npm pack` and `npm publish` in a package run
// this before, and with "after" behind them: src is compiled to dist, package.json leads there, and in the end all is
// as it was.
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { build } from "esbuild";

const KEPT = "package.json.kept";
const DECLARATIONS = ".declarations";

if (process.argv[2] === "after") {
  renameSync(KEPT, "package.json");
  for (const made of ["dist", "LICENSE"]) rmSync(made, { recursive: true });
} else {
  if (existsSync(KEPT)) renameSync(KEPT, "package.json");
  const { name } = JSON.parse(readFileSync("package.json", "utf8"));
  await build({ entryPoints: globSync("src/**/*.ts"), outbase: "src", outdir: "dist", bundle: true, splitting: true,
    packages: "external", platform: "node", target: "node20", format: "esm" });
  for (const file of globSync("src/**/*.json")) copyFileSync(file, path.join("dist", path.relative("src", file)));
  writeFileSync("tsconfig.pack.json",
    JSON.stringify({ extends: "../../tsconfig.json", include: ["src"],
      compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: "..",
        outDir: DECLARATIONS } }));
  execFileSync("tsc", ["--project", "tsconfig.pack.json"], { stdio: "inherit" });
  cpSync(path.join(DECLARATIONS, name, "src"), "dist", { recursive: true });
  for (const made of [DECLARATIONS, "tsconfig.pack.json"]) rmSync(made, { recursive: true });
  copyFileSync("../../LICENSE", "LICENSE");
  renameSync("package.json", KEPT);
  writeFileSync("package.json", readFileSync(KEPT, "utf8").replaceAll(/"\.\/src\/(.+)\.ts"/g, '"./dist/$1.js"'));
}
