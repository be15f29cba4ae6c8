/** An emulator that runs, and what a person at a terminal reads of it. */
export interface Running {
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

/**
 * Runs an emulator as a command: prints where it is, and ends it at Ctrl-C. `--help` prints the usage only. What can't
 * be started is one line on stderr, and exit code 1.
 */
export async function runCommand(name: string, usage: string, begin: () => Promise<Running>): Promise<void> {
  if (process.argv.includes("--help") || process.argv.includes("-h")) {
    process.stdout.write(usage);
    return;
  }
  try {
    const { lines, stop } = await begin();
    process.stdout.write(`${[...lines, "Ctrl-C ends it."].join("\n")}\n`);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        void stop().then(() => process.exit(0));
      });
    }
  } catch (error) {
    const { message } = error instanceof Error ? error : { message: String(error) };
    const taken = typeof error === "object" && error !== null && "code" in error && error.code === "EADDRINUSE";
    process.stderr.write(`${name}: ${message.split("\n")[0] ?? ""}${taken ? "; choose another with --port" : ""}\n`);
    process.exitCode = 1;
  }
}

/** The number in `--port`; 0 is any free one. Throws for what is none. */
export function portIn(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new Error(`--port ${text} is no port: give a number from 0 (any free one) to 65535`);
}
