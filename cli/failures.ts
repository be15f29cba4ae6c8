import { ConfigError, NeedsPersonError, RefusedError, TemporaryError } from "../src/errors.ts";

/** Exit codes, the same for every command. */
export const EXIT = {
  ok: 0,
  /** Done, but with findings; or it could not be done. */
  failed: 1,
  /** The command line or a setting is wrong: nothing was done. */
  usage: 2,
} as const;

/** See {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure as a person and a script are told of it. */
export interface Failure {
  /** Stable, in capitals. */
  readonly code: string;
  /** One line, with what to do. */
  readonly message: string;
  readonly exit: ExitCode;
}

/** Failures of the AWS SDK that a person can mend, by the error's name. */
const AWS_FAILURES: Readonly<Record<string, Omit<Failure, "exit">>> = {
  CredentialsProviderError: { code: "AWS_CREDENTIALS",
    message: "this shell has no AWS credentials: log in (aws sso login, aws configure), or set AWS_PROFILE" },
  ExpiredTokenException: { code: "AWS_CREDENTIALS",
    message: "the AWS credentials of this shell have expired: log in again" },
  ExpiredToken: { code: "AWS_CREDENTIALS", message: "the AWS credentials of this shell have expired: log in again" },
  UnrecognizedClientException: { code: "AWS_CREDENTIALS",
    message: "AWS doesn't know the credentials of this shell: check AWS_PROFILE" },
  InvalidClientTokenId: { code: "AWS_CREDENTIALS",
    message: "AWS doesn't know the credentials of this shell: check AWS_PROFILE" },
};

/** What to say of anything thrown. A user's mistake is one line; of a mistake of ours, `DEBUG=1` shows the rest. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ConfigError) return { code: error.code, message: error.message, exit: EXIT.usage };
  if (error instanceof NeedsPersonError || error instanceof TemporaryError || error instanceof RefusedError) {
    // What the AWS SDK says of credentials is more to the point than "the queue could not be reached".
    return awsFailure(error.cause) ?? { code: error.code, message: error.message, exit: EXIT.failed };
  }
  return awsFailure(error) ??
    { code: "UNEXPECTED", message: `${firstLine(error)} (a mistake of this program, perhaps: DEBUG=1 shows where)`,
      exit: EXIT.failed };
}

function awsFailure(error: unknown): Failure | null {
  if (!(error instanceof Error)) return null;
  const known = Object.hasOwn(AWS_FAILURES, error.name) ? AWS_FAILURES[error.name] : undefined;
  if (known !== undefined) return { ...known, exit: EXIT.usage };
  if (error.message === "Region is missing") {
    return { code: "AWS_REGION", message: "this shell has no AWS region: set AWS_REGION, such as AWS_REGION=eu-west-1",
      exit: EXIT.usage };
  }
  if (/^AccessDenied/.test(error.name)) {
    return { code: "AWS_ACCESS", message: `AWS refused: ${firstLine(error)}`, exit: EXIT.failed };
  }
  return null;
}

function firstLine(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return line === "" ? "failed without saying why" : line;
}
