import { entitlements, type Verdict } from "../../src/access/entitlements.ts";
import type { Policy } from "../../src/access/policy.ts";
import { type BuyerRecord, recordShape } from "../../src/ledger/record.ts";
import type { Stack } from "../stack.ts";
import { changesIn } from "./changes.ts";
import { escaped, moment } from "./layout.ts";

/** Pings and buyers shown; the newest first. */
const SHOWN = 30;

/** What arrived, who has what and why, and who waits. The part of the page that is looked at again and again. */
export async function activityParts({ gumroad, ledger, provisioned }: Stack, policy: Policy): Promise<string> {
  const records = (await ledger()).filter(({ sk }) => sk === "record").flatMap(({ record }) => {
    const parsed = recordShape.safeParse(record);
    return parsed.success ? [parsed.data] : [];
  });
  const waiting = records.filter(({ unsettled }) => unsettled !== null);
  return `<h2>Who waits</h2>
${
    table(["Buyer", "For what", "Since"],
      waiting.map(({ email, unsettled }) => [email, unsettled?.message ?? "", moment(unsettled?.since ?? 0)]))
  }
<h2>Buyers</h2>
${
    table(["Buyer", "Roles", "Why"],
      records.slice(-SHOWN).reverse().map((record) => buyer(record, policy, gumroad.now())))
  }
<h2>What changed</h2>
${
    table(["When", "What", "Of", "Roles at Auth0"],
      changesIn(provisioned, records.map(({ email }) => email)).slice(0, SHOWN).map((
        { at, event, email, changed },
      ) => [at, event, email, changed]))
  }
<h2>Pings</h2>
${
    table(["When", "Event", "Of", "Answer"],
      gumroad.posts.slice(-SHOWN).reverse().map((
        { at, event, body, outcome },
      ) => [moment(at), event, nameIn(body), outcome === undefined ? "on its way" : String(outcome)]))
  }`;
}

function buyer(record: BuyerRecord, policy: Policy, now: number): readonly string[] {
  const { roles, verdicts } = entitlements(record.sources, policy, now);
  return [record.email, roles.join(", ") || "none", verdicts.map((verdict) => why(verdict, policy)).join("; ")];
}

function why({ productId, access, reason, variant }: Verdict, policy: Policy): string {
  const name = policy.get(productId)?.name ?? productId;
  return `${name}${variant === null ? "" : ` (${variant})`}: ${access ? "yes" : "no"}, ${reason.replaceAll("-", " ")}`;
}

function nameIn(body: string): string {
  const fields = new URLSearchParams(body);
  return [fields.get("product_name"), fields.get("email") ?? fields.get("user_email")].filter(Boolean).join(", ");
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "<p>Nobody and nothing.</p>";
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.map((text) => `<td>${escaped(text)}</td>`).join("")}</tr>`).join("\n");
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}
