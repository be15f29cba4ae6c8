import { randomUUID } from "node:crypto";

import { dueRoles } from "../../src/access/entitlements.ts";
import { emptySource, grantedRole, isSourceId, type Act, type SourceId } from "../../src/access/facts.ts";
import { addFacts, mergeSource } from "../../src/access/merge.ts";
import { boughtTogether } from "../../src/access/together.ts";
import { ConfigError } from "../../src/errors.ts";
import { dynamoLedger, type Ledger } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import type { ActFlags } from "../commands/options.ts";
import { type ActOutcome, differenceWords, hasAct, outcomeFor, sendAct, signatureOf, tellOutcome } from "./acting.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";

/** The flags of `transfer`, as commander gives them. */
export interface TransferFlags extends ActFlags {
  readonly only?: true;
  readonly yes?: true;
}

/** Moves a purchase to another buyer. */
export async function transfer(named: string, to: string, flags: TransferFlags, context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const policy = await context.policy();
  const stage = await context.stage();
  const ledger = dynamoLedger(stage.dynamo, stage.ledger);
  const { source, owner } = await owned(named, ledger, context);
  if (owner === to) throw new ConfigError("MOVE_TO_SELF", `${source} is ${to}'s already`);
  const [from, target] = await Promise.all([ledger.load(owner), ledger.load(to)]);
  const together = boughtTogether(source, from.sources, policy);
  const sources = flags.only === true ? [source] : together;
  const dryRun = flags.dryRun === true;
  output.say(`${dryRun ? "would move " : ""}from ${owner} to ${to}:`);
  for (const id of sources) {
    output.say(
      `  ${id}  ${
        policy.get(from.sources[id]?.productId ?? "")?.name ?? "a product that src/products.ts doesn't list"
      }`,
    );
  }

  if (!dryRun && sources.length > 1) await confirmAll(flags, context);
  const signature = dryRun ? { by: "", why: "" } : await signatureOf(flags, context);
  const acts = sources.map((id) => ({ id,
    act: { at: now(), id: randomUUID(), ...signature, decision: { kind: "move", to } } satisfies Act })
  );
  const left = acts.reduce<BuyerRecord>(
    (record, { id, act }) => ({ ...record,
      sources: addFacts(record.sources, id, { ...emptySource(from.sources[id]?.productId ?? ""), act }) }),
    from,
  );
  const got = acts.reduce<BuyerRecord>((record, { id, act }) => withMoved(record, id, act, from), target);
  const changes = [
    { buyer: owner, before: dueRoles(from, policy, now()), after: dueRoles(left, policy, now()) },
    { buyer: to, before: dueRoles(target, policy, now()), after: dueRoles(got, policy, now()) },
  ];
  for (const change of changes) output.say(`${change.buyer} ${differenceWords(change)}`);
  const about = { from: owner, to, sources, leftBehind: together.filter((id) => !sources.includes(id)), changes,
    dryRun };
  for (const id of about.leftBehind) {
    output.say(output.tone("warning", `${id} was bought with it, and stays with ${owner}`));
  }
  if (dryRun) {
    output.result(about);
    return EXIT.ok;
  }
  for (const { id, act } of acts) await sendAct(stage, owner, id, act);
  const isDone = (record: BuyerRecord): boolean => acts.every(({ id, act }) => hasAct(record, id, act));
  const outcomes: ActOutcome[] = [];
  for (const buyer of [owner, to]) outcomes.push(await outcomeFor(buyer, isDone, flags, context));
  output.result({ ...about, ...signature, outcomes });
  const told = outcomes.map((outcome, index) => tellOutcome([owner, to][index] ?? to, outcome, flags, context));
  if (told.includes(false)) return EXIT.failed;
  output.say(output.tone("good", "done"));
  return EXIT.ok;
}

/** The new buyer's record as it would be: the facts come over, and count there by themselves. */
function withMoved(record: BuyerRecord, id: SourceId, act: Act, from: BuyerRecord): BuyerRecord {
  const facts = from.sources[id] ?? emptySource("");
  const moved = mergeSource({ ...facts, act: null }, { ...emptySource(facts.productId),
    act: { ...act, decision: { kind: "follow" } } });
  return { ...record, sources: addFacts(record.sources, id, moved) };
}

/**
 * The purchase that was named, and whose it is.
 * @throws {ConfigError} SOURCE_UNKNOWN, MOVE_GRANT
 */
async function owned(named: string, ledger: Ledger,
  { commandLine }: Context): Promise<{ readonly source: SourceId; readonly owner: string }> {
  if (isSourceId(named) && grantedRole(named) !== null) {
    throw new ConfigError("MOVE_GRANT",
      `${named} was given to one person: take it back with revoke, and give it to the other with grant`);
  }
  const candidates: readonly SourceId[] = isSourceId(named) ? [named] : [`sale:${named}`, `subscription:${named}`];
  for (const source of candidates) {
    const owner = await ledger.owner(source);
    if (owner !== null) return { source, owner };
  }
  throw new ConfigError("SOURCE_UNKNOWN",
    `nobody bought ${named}, as far as is known: ${
      commandLine("explain EMAIL")
    } shows a buyer's purchases; a membership's is subscription:ID, whichever of its charges you look at`);
}

/** @throws {ConfigError} MOVE_TOGETHER where nobody can be asked, MOVE_STOPPED where the answer is no */
async function confirmAll({ yes }: TransferFlags, { questions }: Context): Promise<void> {
  if (yes === true) return;
  if (questions === null) {
    throw new ConfigError("MOVE_TOGETHER",
      "these were bought together: say --yes to move all of them, or --only for just the one you named");
  }
  if (!(await questions.confirm("These were bought together. Move all of them", true))) {
    throw new ConfigError("MOVE_STOPPED", "nothing was moved: --only moves just the one you named");
  }
}
