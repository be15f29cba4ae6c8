import path from "node:path";

import ts from "typescript";

import { defineProducts } from "../../src/config/products-file.ts";

/** The policy that a source of src/products.ts defines. Throws ConfigError as the file itself would. */
export function policyIn(source: string) {
  const { outputText } = ts.transpileModule(source.replace(/^import .*$/m, ""), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  return new Function("defineProducts", outputText.replace("export default ", "return "))(defineProducts);
}

/** What the type checker says of each of these sources of src/products.ts, with this project's settings. */
export function typeErrorsIn(...sources: readonly string[]): string[][] {
  const root = path.resolve(import.meta.dirname, "../..");
  const files = new Map(sources.map((source, place) => [path.join(root, `src/products-${String(place)}.ts`), source]));
  const { options } = ts.parseJsonConfigFileContent({
    ...ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile).config,
    include: [],
    files: [...files.keys()],
  }, ts.sys, root);
  // One program for all: reading the libraries is what it costs.
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, target, ...rest) => {
    const source = files.get(name);
    return source === undefined ? getSourceFile(name, target, ...rest) : ts.createSourceFile(name, source, target);
  };
  const program = ts.createProgram([...files.keys()], { ...options, types: [] }, host);
  return [...files.keys()].map((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((
      { messageText },
    ) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  });
}
