/**
 * `npm test`: types, lint and all tests. The compiler and the linter share one reading of the project here, which
 * halves what `npm run types` and `npm run lint` cost apart; they work while the tests run in a process of their own,
 * and what they found is told after the tests, where it can't be overlooked.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

import { ESLint } from "eslint";
import ts from "typescript";

import { projectRoot } from "./bundling/bundle.ts";

const unit = spawn("npm", ["run", "--silent", "unit"], { stdio: "inherit" });
const unitEnded = once(unit, "exit");

const host: ts.FormatDiagnosticsHost = {
  getCurrentDirectory: () => projectRoot,
  getCanonicalFileName: (file) => file,
  getNewLine: () => "\n",
};

const program = programOf(ts.findConfigFile(projectRoot, ts.sys.fileExists) ?? "tsconfig.json");
const typeFaults = ts.getPreEmitDiagnostics(program);
const lint = await lintWith(program);

const [code] = await unitEnded;
if (typeFaults.length > 0) {
  console.error(process.stderr.isTTY
    ? ts.formatDiagnosticsWithColorAndContext(typeFaults, host)
    : ts.formatDiagnostics(typeFaults, host));
}
if (lint.report !== "") console.error(lint.report);
process.exitCode = code === 0 && typeFaults.length === 0 && !lint.failed ? 0 : 1;

/** What `tsc` would check. */
function programOf(config: string): ts.Program {
  const parsed = ts.getParsedCommandLineOfConfigFile(config, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (fault) => {
      throw new Error(ts.formatDiagnostic(fault, host));
    },
  });
  if (parsed === undefined) throw new Error(`${config} can't be read`);
  return ts.createProgram({ rootNames: parsed.fileNames, options: parsed.options,
    configFileParsingDiagnostics: parsed.errors });
}

/**
 * What `eslint .` would find, with types from a program that was checked already: most of linting is to check it
 * again.
 */
async function lintWith(checked: ts.Program): Promise<{ readonly report: string; readonly failed: boolean }> {
  const eslint = new ESLint({
    cwd: projectRoot,
    overrideConfig: { files: ["**/*.ts"],
      languageOptions: { parserOptions: { projectService: false, programs: [checked] } } },
  });
  const results = await eslint.lintFiles(["."]);
  const formatter = await eslint.loadFormatter("stylish");
  return { report: await formatter.format(results), failed: results.some(({ errorCount }) => errorCount > 0) };
}
