/** Said of `--dry-run`, the same on each command that changes something. */
export const DRY_RUN = "say what it would do, and change nothing";

/** Examples for a command's help, one a line: what to type, and what it is for. */
export function examples(...lines: readonly (readonly [command: string, does: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${
    lines.map(([command, does]) => `  gumroad-auth0 ${command.padEnd(width)}  ${does}`).join("\n")
  }`;
}
