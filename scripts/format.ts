/**
 * `npm run format`: lays all code of the project out anew. `-- --check` changes nothing, and names what it would
 * change, and every line of over 119 characters: those the formatter can't break.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { createFromBuffer } from "@dprint/formatter";
import { getPath } from "@dprint/typescript";
import { glob } from "node:fs/promises";

import { projectRoot } from "./project-root.ts";

const WIDTH = 119;
const FOLDERS = "{src,packages,local,cli,scripts,tenant,tests,bench,examples,docs}/**/*.{ts,mjs,js}";
const EVERYTHING = [FOLDERS, "*.js"];

/** What `--check` found; empty if all is laid out. */
export async function misformatted(): Promise<readonly string[]> {
  return inEach((file, before,
    after) => [...(before === after ? [] : [`${file}: npm run format lays it out`]),
    ...before.split("\n").flatMap((line,
      index) => (line.length > WIDTH ? [`${file}:${String(index + 1)}: ${String(line.length)} characters`] : [])
    )]
  );
}

async function rewrite(): Promise<readonly string[]> {
  return inEach((file, before, after) => {
    if (before !== after) writeFileSync(path.join(projectRoot, file), after);
    return [];
  });
}

async function inEach(
  see: (file: string, before: string, after: string) => readonly string[],
): Promise<readonly string[]> {
  const formatter = createFromBuffer(readFileSync(getPath()));
  formatter.setConfig({ lineWidth: WIDTH, indentWidth: 2 }, {
    // What fits in a line is a line, and longer lists go on in the next one: a reader sees more of a function at once.
    "preferHanging": true,
    "preferSingleLine": true,
    "arrayExpression.preferSingleLine": false,
    "memberExpression.preferSingleLine": false,
    "unionAndIntersectionType.preferSingleLine": false,
    "quoteStyle": "preferDouble",
    "nextControlFlowPosition": "sameLine",
    "bracePosition": "sameLine",
    "arrowFunction.useParentheses": "force",
    "forStatement.spaceAfterSemiColons": true,
    "operatorPosition": "sameLine",
    "conditionalExpression.operatorPosition": "nextLine",
    "module.sortImportDeclarations": "maintain",
    "module.sortExportDeclarations": "maintain",
    "importDeclaration.sortNamedImports": "maintain",
    "exportDeclaration.sortNamedExports": "maintain",
  });
  const found: string[] = [];
  for await (const file of glob(EVERYTHING, { cwd: projectRoot,
    exclude: (name) => name === "node_modules" || name === "fixtures" })) {
    const before = readFileSync(path.join(projectRoot, file), "utf8");
    found.push(...see(file, before, formatter.formatText({ filePath: file, fileText: before })));
  }
  return found.sort();
}

if (import.meta.main) {
  const found = await (process.argv.includes("--check") ? misformatted() : rewrite());
  for (const fault of found) console.error(fault);
  process.exitCode = found.length === 0 ? 0 : 1;
}
