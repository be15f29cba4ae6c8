import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { oneTimeCode } from "../operations/reset.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";

/** Prints a one-time code for an account, good for a day. Throws as `oneTimeCode`. */
export async function reset(typed: string, context: Context): Promise<ExitCode> {
  const { output } = context;
  const { name, code, until } = await operate(context, (operating) => oneTimeCode(typed, operating));
  output.say(
    `${code}\nstands once for ${name}'s current password where a new one is chosen, until ${momentOf(until)}`,
  );
  output.result({ name, code, until: isoOf(until) });
  return EXIT.ok;
}
