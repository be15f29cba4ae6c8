/** A function's log line, read: what the console shows, and what the log file keeps. */
export interface FunctionLogLine {
  /** One short line, or undefined where a person has no use for it (metrics, debug output). */
  readonly short: string | undefined;
  /** The whole line as JSON, with the function's key in serverless.yml. */
  readonly json: string;
}

/** What every line has and nobody at a console reads. */
const NOISE = new Set([
  "level",
  "message",
  "timestamp",
  "service",
  "sampling_rate",
  "xray_trace_id",
  "cold_start",
  "function_arn",
  "function_memory_size",
  "function_name",
  "function_request_id",
  "requestId",
  "error",
]);
const HIDDEN_LEVELS = new Set(["TRACE", "DEBUG"]);

/** Reads one line that a function logged. */
export function readFunctionLog(functionKey: string, line: string): FunctionLogLine {
  const entry = objectOf(line);
  if (entry === undefined) {
    return { short: shown(`${functionKey}: ${line}`), json: JSON.stringify({ function: functionKey, text: line }) };
  }
  return { short: shorten(functionKey, entry), json: JSON.stringify({ function: functionKey, ...entry }) };
}

function shorten(functionKey: string, entry: Record<string, unknown>): string | undefined {
  const level = String(entry["level"] ?? "INFO");
  // `_aws` marks CloudWatch's metric format.
  if ("_aws" in entry || HIDDEN_LEVELS.has(level)) return undefined;
  const fields = Object.entries(entry).flatMap(([key, value]) => {
    if (NOISE.has(key) || value === null || value === undefined || value === "" || isEmptyList(value)) return [];
    return [`${key}=${typeof value === "string" ? value : JSON.stringify(value)}`];
  });
  const { error } = entry;
  if (typeof error === "object" && error !== null && "name" in error && "message" in error) {
    fields.push(`${String(error.name)}: ${String(error.message)}`);
  }
  const mark = level === "INFO" ? "" : `${level} `;
  return shown(`${functionKey}: ${mark}${[String(entry["message"] ?? ""), ...fields].join("  ")}`);
}

/** One line, in which nothing is a command to the terminal: any page in this machine's browser can post a ping. */
function shown(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ");
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function objectOf(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
