// `npm run demo`: plays the main job once, over the functions as they deploy, and shows the roles at Auth0 after each
// step. Ends with 0 if they are what the manifest says.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs, styleText } from "node:util";

import { type Manifest, readManifest, rowsFor } from "../fixtures/manifest.ts";
import policy from "../fixtures/policy.ts";
import { endWithParent } from "../scripts/end-with-parent.ts";
import { projectRoot } from "../scripts/project-root.ts";
import { roleNames } from "../tenant/role-names.ts";
import { auth0Directory, type Directory } from "../src/auth0/directory.ts";
import { auth0SecretShape } from "../src/auth0/secret.ts";
import { messageOf } from "./aws/errors.ts";
import { frontPages } from "./front/front.ts";
import { buildOwnBundles } from "./own-bundles.ts";
import { type Stack, startStack } from "./stack.ts";
import { LOCAL_CLIENT } from "./known-values.ts";

const USAGE = `npm run demo [-- [--open] [MANIFEST]]

  --open    goes on running when all is played, with its front page, until Ctrl-C
  MANIFEST  what the roles are held against; fixtures/manifest.json
`;

/** The manifest's stories that are played, in this order: one goes on where the one before stopped. */
const ACTS = [
  ["a purchase, and Gumroad's retry of its ping", "a purchase that is refunded in full"],
  ["a membership", "a membership that is upgraded", "a membership that is cancelled and ends"],
  ["a gift"],
] as const;

/** What a person sees happen, by the wire body that tells of it. */
const WORDS: Readonly<Record<string, string>> = { "sale.txt": "Ann buys the handbook",
  "sale-retry.txt": "Gumroad sends that ping again", "refund-full.txt": "Ann gets her money back",
  "membership-sale.txt": "Eve joins the club, tier Basic", "membership-renewal.txt": "Eve pays for a second month",
  "membership-upgrade.txt": "Eve upgrades to Premium", "membership-cancellation.txt": "Eve cancels, paid until March",
  "membership-ended.txt": "March: the membership ends", "sale-gift.txt": "Dee gives Cy the handbook" };

const COLUMNS = [30, 20, 3] as const;
/** Only what hangs takes so long. */
const LIMIT_MS = 60_000;

const began = performance.now();
const print = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};
const row = (...cells: readonly string[]): string =>
  cells.map((cell, column) => cell.padEnd(COLUMNS[column] ?? 0)).join("  ").trimEnd();

/** Plays all acts; the number of roles, or answers, that are not as they should be. */
async function play(manifest: Manifest, stack: Stack): Promise<number> {
  const credentials = auth0SecretShape.parse({ domain: stack.auth0.url, client_id: LOCAL_CLIENT.id,
    client_secret: LOCAL_CLIENT.secret });
  const get = async (): Promise<typeof credentials> => credentials;
  const auth0 = auth0Directory({ secret: { get, reread: get } });
  const told: string[] = [];
  let faults = 0;
  for (const act of ACTS) {
    for (const name of act) {
      const story = manifest.stories.find((each) => each.name === name);
      if (story === undefined) throw new Error(`the manifest has no story "${name}"`);
      const steps = story.pings.filter((ping) => !told.includes(ping));
      for (const [place, ping] of steps.entries()) {
        told.push(ping);
        const status = await tell(ping, told, stack);
        const cells = [WORDS[ping] ?? ping, manifest.bodies[ping]?.event ?? ""];
        for (const [buyer, due] of Object.entries(story.roles)) {
          const roles = await rolesAt(auth0, buyer);
          const expected = place === steps.length - 1 ? listed(due) : listed(roles);
          const fault = status !== 200
            ? `answered ${String(status)}`
            : expected === listed(roles)
            ? undefined
            : `the manifest says: ${expected}`;
          if (fault !== undefined) faults += 1;
          print(row(...cells, nameIn(buyer), shown(roles)) + (fault === undefined ? "" : bad(`  ✗ ${fault}`)));
          cells.fill("");
        }
      }
    }
    print();
  }
  return faults;
}

/** Gumroad's API shows the event, then its ping comes; the status it is answered. Resolves once all is worked off. */
async function tell(ping: string, told: readonly string[], stack: Stack): Promise<number> {
  stack.gumroad.seed(rowsFor(told));
  const { status } = await fetch(stack.pingUrl, { method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: readFileSync(path.join(projectRoot, "fixtures/pings", ping)) });
  await stack.sqs.idle(LIMIT_MS);
  return status;
}

/** The roles of everybody with that email, as the Management API tells them. */
async function rolesAt(auth0: Directory, email: string): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const users = await auth0.find(email, email, signal);
  const roles = await Promise.all(users.map(({ id }) => auth0.rolesOf(id, signal)));
  return [...new Set(roles.flat())];
}

function listed(roles: readonly string[]): string {
  return roles.length === 0 ? "none" : [...roles].sort().join(", ");
}

function shown(roles: readonly string[]): string {
  return styleText(roles.length === 0 ? "dim" : "green", listed(roles));
}

function bad(text: string): string {
  return styleText("red", text);
}

function nameIn(email: string): string {
  return email.slice(0, email.indexOf("@"));
}

async function main(): Promise<number> {
  const { values: { open = false, help }, positionals: [file] } = parseArgs({ allowPositionals: true,
    options: { open: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
  if (help === true) {
    print(USAGE);
    return 0;
  }
  const manifest = readManifest(file);
  print(`${styleText("bold", "gumroad-auth0")}: who pays on Gumroad gets a role at Auth0; who is refunded loses it.`);
  print();
  print("The functions that deploy run here, between a Gumroad shop and an Auth0 tenant that");
  print("exist on this machine only. The pings are bodies as Gumroad sends them (fixtures/pings),");
  print("the roles are asked of Auth0's Management API after each of them.");
  print();
  print(styleText("bold", row("What happens", "Gumroad's ping", "Who", "Roles at Auth0 then")));
  print(styleText("dim", row(...COLUMNS.map((width) => "-".repeat(width)), "-".repeat(19))));
  const bundlesDir = await buildOwnBundles({ policy: path.join(projectRoot, "fixtures/policy.ts"),
    ...(open ? {} : { names: ["ping", "provision"] }) });
  const stack = await startStack({ bundlesDir, roles: roleNames(policy), readBack: true,
    ...(open ? { login: true, schedules: true, pages: (running) => frontPages(running, policy) } : {}) });
  try {
    const faults = await play(manifest, stack);
    conclude(faults);
    if (open) {
      print(`Look around: ${stack.url}/  Ctrl-C ends it.`);
      await once(process, "SIGINT");
    }
    return faults > 0 ? 1 : 0;
  } finally {
    await stack.stop();
  }
}

function conclude(faults: number): void {
  if (faults > 0) {
    print(bad(`✗ ${String(faults)} of these roles ${faults === 1 ? "is" : "are"} not what the manifest says.`));
    return;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  print(styleText("green", `✓ Every role is what fixtures/manifest.json says, after ${seconds} s.`));
  print("Next: npm start, and the shop, courses and inbox are at http://127.0.0.1:3000/");
}

endWithParent();
// Whoever stops reading half-way, such as `head`, gets no trace for it.
process.stdout.on("error", () => undefined);
try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`npm run demo: ${messageOf(error)}\n`);
  process.exit(1);
}
