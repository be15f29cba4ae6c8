/** Which calls to AWS each function's code makes, and whether its role allows those and no others. */
import path from "node:path";

import { build } from "esbuild";

import { projectRoot } from "../../scripts/project-root.ts";
import { functionsOf, grantsOf } from "./security-rules.ts";
import { at, ofType, type Template } from "./template.ts";

/** The IAM actions of the calls that a function makes: `sqs:SendMessage`. */
export type Actions = readonly string[];

const services: Readonly<Record<string, string>> = { "client-sqs": "sqs", "client-secrets-manager": "secretsmanager",
  "client-dynamodb": "dynamodb", "lib-dynamodb": "dynamodb" };
/** What an event source mapping calls with the function's role. */
const polls = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
/** What Lambda calls with it, to write the log. */
const logs = ["logs:CreateLogStream", "logs:PutLogEvents"];

/**
 * The calls each function makes, in the order of the names: the SDK's commands that are constructed, or paged, in what
 * is left after esbuild has thrown out what the function never uses.
 * @throws {Error} if a command comes from a client that is not known here
 */
export async function callsOf(names: readonly string[]): Promise<Map<string, Actions>> {
  const { outputFiles } = await build({ absWorkingDir: projectRoot,
    entryPoints: Object.fromEntries(names.map((name) => [name, `src/functions/${name}.ts`])), outdir: "never-written",
    bundle: true, platform: "node", format: "esm", packages: "external", write: false });
  return new Map(outputFiles.map((file) => [path.basename(file.path, ".js"), commandsIn(file.text)]));
}

function commandsIn(code: string): Actions {
  const actions = [...code.matchAll(/import\s*\{([^}]*)\}\s*from "@aws-sdk\/([\w-]+)"/g)].flatMap((
    [, imported = "", client = ""],
  ) =>
    imported.split(",").flatMap((each) => {
      const [name = "", alias = name] = each.trim().split(" as ");
      const [, constructed, paged] = /^(?:(\w+)Command|paginate(\w+))$/.exec(name) ?? [];
      const command = constructed ?? paged;
      const isUsed = new RegExp(constructed === undefined ? `\\b${alias}\\(` : `new ${alias}\\b`).test(code);
      if (command === undefined || !isUsed) return [];
      const service = services[client];
      if (service === undefined) throw new Error(`which service is @aws-sdk/${client} of?`);
      return [`${service}:${actionOf(command, client)}`];
    })
  );
  return [...new Set(actions)].sort();
}

/** IAM names a batch's action like the single one, and the document client leaves out `Item`. */
function actionOf(command: string, client: string): string {
  if (client === "lib-dynamodb" && /^(Batch)?(Get|Put|Update|Delete|Write)$/.test(command)) return `${command}Item`;
  return command.replace(/^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/, "$1");
}

/**
 * What is wrong with the roles, each a line that begins with the function's name: a call that the role doesn't allow,
 * a grant that no call needs, and a grant on a table, queue or secret that the function isn't given.
 */
export function grantFaults(template: Template, calls: ReadonlyMap<string, Actions>): string[] {
  return functionsOf(template).flatMap(({ id, role = "", environment }) => {
    const name = id.replace(/LambdaFunction$/, "").toLowerCase();
    const queues = ofType(template, "AWS::Lambda::EventSourceMapping")
      .filter(([, { Properties }]) => at(Properties, "FunctionName", "Fn::GetAtt", 0) === id)
      .map(([, { Properties }]) => String(at(Properties, "EventSourceArn", "Fn::GetAtt", 0)));
    const needed = new Set([...logs, ...(queues.length > 0 ? polls : []), ...(calls.get(name) ?? [])]);
    const grants = grantsOf(template, role).map((line) => line.split(" on "));
    const granted = new Set(grants.map(([action = ""]) => action));
    const given = new Set([id.replace(/LambdaFunction$/, "LogGroup"), ...queues,
      ...Object.values(environment).map((value) => String(at(value, "Ref")))]);
    const reached = new Set(grants.map(([, resource = ""]) => /\w+/.exec(resource)?.[0] ?? resource));
    const resources = [...given].filter((each) => each in template.Resources);
    return [
      ...[...needed].filter((each) => !granted.has(each)).map((each) => `${name}: calls ${each}, and may not`),
      ...[...granted].filter((each) => !needed.has(each)).map((each) => `${name}: may ${each}, and never calls it`),
      ...[...reached].filter((each) => !given.has(each)).map((each) =>
        `${name}: may reach ${each}, and isn't given it`
      ),
      ...resources.filter((each) => !reached.has(each)).map((each) =>
        `${name}: is given ${each}, and may not reach it`
      ),
    ];
  });
}
