import { inspect } from "node:util";

import { Command, CommanderError } from "commander";

import { CATALOGUE } from "./commands/catalogue.ts";
import manifest from "../package.json" with { type: "json" };
import type { Context, World } from "./context.ts";
import { EXIT, type ExitCode, failureOf } from "./failures.ts";
import { makeOutput, printable } from "./terminal/output.ts";
import { wrapped } from "./terminal/wrapped.ts";
import { stageName } from "./stage/open.ts";
import { LOCAL, type Stage } from "./stage/stage.ts";

const { version: VERSION } = manifest;

const EXIT_CODES = `
Exit codes: 0 done; 1 done with findings, or failed; 2 the command line or a setting is wrong, nothing was done.
DEBUG=1 shows where an unexpected error comes from.`;

/** What help is as wide as where nobody says how wide a terminal is, and the narrowest column of its words. */
const [UNKNOWN_WIDTH, NARROWEST] = [80, 16];

/**
 * Runs one command line, given without `node` and the script. Never rejects: whatever goes wrong is a line on stderr
 * (with `--json`, an object on stdout) and an exit code.
 */
export async function runCli(args: readonly string[], world: World): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok;
  let opening: Promise<Stage> | undefined;
  let clock = world.now;
  const program = new Command("gumroad-auth0");
  // Also on a command line that can't be parsed.
  const wantsJson = args.includes("--json");
  const globals = () => program.opts<{ stage: string; json?: true }>();
  const output = makeOutput({ print: world.print, colours: world.colours, columns: world.columns ?? null,
    json: () => globals().json === true });
  const name = (): string => stageName(globals().stage);
  const fitted = (text: string): string => wrapped(text.trimEnd(), world.columns ?? Infinity);
  const open = async (): Promise<Stage> => {
    const stage = await world.openStage(name(), world.env);
    clock = stage.now;
    return stage;
  };
  const context: Context = { ...world, output, stageName: name, now: () => clock(), stage: () => (opening ??= open()),
    commandLine: (command) => `npx gumroad-auth0 ${command}${name() === LOCAL ? "" : ` --stage ${name()}`}`,
    action: (work) => async (...given) => {
      exit = (await work(...given)) ?? EXIT.ok;
    } };

  program
    .description("Sets up, checks and runs a deployment that turns Gumroad purchases into Auth0 roles.")
    .option("--stage <name>", `the stage to work on: "${LOCAL}" is what npm start runs, any other is deployed on AWS`,
      LOCAL)
    .option("--json", "print one JSON object, for scripts")
    .addHelpText("afterAll", EXIT_CODES)
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: NARROWEST })
    .configureOutput({ writeOut: (text) => {
      world.print(fitted(text));
    }, writeErr: (text) => {
      if (!wantsJson) world.complain(fitted(text));
    }, getOutHelpWidth: () => world.columns ?? UNKNOWN_WIDTH, getErrHelpWidth: () => world.columns ?? UNKNOWN_WIDTH })
    .showHelpAfterError("(--help shows what there is)")
    .version(VERSION, "--version", "print the version")
    .exitOverride();

  try {
    for (const [heading, commands] of CATALOGUE) {
      for (const { name: commandName, summary, load } of commands) {
        const command = program.command(commandName).summary(summary).helpGroup(heading);
        // Also where the name is only an argument of another command: one more is loaded, and nothing else happens.
        if (args.includes(commandName)) (await load()).register(command, context);
      }
    }
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    exit = error instanceof CommanderError
      ? usage(error, wantsJson ? world.print : null)
      : told(error, context, fitted);
  }
  await opening?.then((stage) => stage.close(), () => undefined);
  return exit;
}

/** Commander has said already what is wrong, or has shown the help that was asked for; but not to a script. */
function usage({ code, exitCode, message }: CommanderError, printJson: ((text: string) => void) | null): ExitCode {
  if (exitCode === 0) return EXIT.ok;
  const said = code === "commander.help" ? "name a command: --help shows which there are" : message;
  printJson?.(
    JSON.stringify({ error: { code: "USAGE", message: said.replace(/^error: /, "").replaceAll("\n", " ") } }, null, 2),
  );
  return EXIT.usage;
}

function told(error: unknown, { output, env, complain }: Context, fitted: (text: string) => string): ExitCode {
  const { code, message, exit } = failureOf(error);
  if (output.json) output.result({ error: { code, message } });
  else complain(fitted(printable(`gumroad-auth0: ${message}`)));
  if ((env["DEBUG"] ?? "") !== "") complain(inspect(error));
  return exit;
}
