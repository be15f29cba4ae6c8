import { describe, expect, it } from "@jest/globals";

import type { PolicyPlan } from "../../cli/operations/plan.ts";
import { hasConsent } from "../../scripts/deploying/consent.ts";
import { ConfigError, NeedsPersonError } from "../../src/errors.ts";

const NOBODY: PolicyPlan = { buyers: 2, broken: 0, gains: [], losses: [], held: [], byTime: [] };
const LOSS: PolicyPlan = { ...NOBODY,
  losses: [{ productId: "book", product: "Handbook", role: "book", buyers: ["ann@example.com"] }] };

async function asked(plan: PolicyPlan | Error, answer: boolean | null, yes = false) {
  const [printed, questions]: [string[], string[]] = [[], []];
  const consent = await hasConsent({ plan: async () => {
    if (plan instanceof Error) throw plan;
    return plan;
  }, yes, confirm: answer === null ? null : async (question) => {
    questions.push(question);
    return answer;
  }, print: (line) => printed.push(line), commandLine: (command) => `npx gumroad-auth0 ${command} --stage prod` })
    .catch((error: unknown) => String(error));
  return { consent, questions, printed: printed.join("\n") };
}

describe("a deployment", () => {
  it("asks nothing where nobody loses, and before there is anybody", async () => {
    expect(await asked(NOBODY, null)).toMatchObject({ consent: true, questions: [] });
    expect(await asked(new ConfigError("STAGE_NOT_DEPLOYED", "no stack"), null)).toMatchObject({ consent: true });
  });

  it("asks whether it is meant where somebody loses, and goes by the answer", async () => {
    const question = "1 buyer would lose a role. Deploy all the same?";
    expect(await asked(LOSS, false)).toMatchObject({ consent: false, questions: [question],
      printed: expect.stringContaining("ann@example.com") });
    expect(await asked(LOSS, true)).toMatchObject({ consent: true });
  });

  it("is refused where nobody can be asked, but for --yes; and names nobody in a log", async () => {
    const { consent, printed } = await asked(LOSS, null);
    expect(consent).toContain("Nothing was deployed: 1 buyer would lose a role. If that is meant, deploy with --yes");
    expect(printed).toContain("book  Handbook: 1 buyer");
    expect(printed).not.toContain("ann@");
    expect(await asked(LOSS, null, true)).toMatchObject({ consent: true });
  });

  it("takes a plan that can't be made for a loss", async () => {
    const failure = new NeedsPersonError("AWS", "no right to read the table");
    expect((await asked(failure, null)).consent).toContain("can't be told (no right to read the table)");
    expect(await asked(failure, true)).toMatchObject({ consent: true });
  });
});
