/** The self-built login in a real browser. */
import { expect, it } from "@jest/globals";

import { cliOn } from "../cli/local-cli.ts";
import type { Person } from "./person.ts";
import { stage, stories } from "./stage.ts";

const HANDBOOK = "Serverless Handbook";
const PASSWORD = "fig-tree-at-dawn";
const MINUTE_MS = 60_000;
const on = stage();

/** Somebody whose page's timers stand still until they are moved. */
async function atClock(): Promise<Person> {
  const person = await on.person();
  await person.page.clock.install();
  // A headless browser shows every page.
  await person.page.addInitScript("Object.defineProperty(document, 'hidden', { get: () => window.unseen === true })");
  return person;
}

async function remembered(name: string): Promise<Person> {
  const person = await atClock();
  await person.logsInHere(name, PASSWORD, true);
  await person.page.getByText(`Logged in as ${name}`).waitFor();
  return person;
}

/** Puts another page before this one, or takes it away again. */
async function unseen(person: Person, isUnseen: boolean): Promise<void> {
  await person.page.evaluate(
    `window.unseen = ${String(isUnseen)}; document.dispatchEvent(new Event("visibilitychange"))`,
  );
}

/** So many times so many minutes pass, for the service and for an open page. */
async function pass(person: Person, times: number, minutes: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await on.stack.advance(minutes * MINUTE_MS);
    const renewed = person.page.waitForResponse("**/verify");
    await person.page.clock.runFor(minutes * MINUTE_MS);
    await (await renewed).finished();
  }
}

/** Holds the answers to a page's renewals: until one is asked for, and what lets them go. */
async function holdVerify({ page }: Person): Promise<readonly [Promise<unknown>, () => Promise<void>]> {
  const [asked, released] = [Promise.withResolvers<null>(), Promise.withResolvers<null>()];
  await page.route("**/verify", async (route) => {
    const response = await route.fetch();
    asked.resolve(null);
    await released.promise;
    await route.fulfill({ response });
  });
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  return [asked.promise, async () => {
    const answered = page.waitForResponse("**/verify");
    released.resolve(null);
    await (await answered).finished();
    await page.unroute("**/verify");
  }];
}

stories("the self-built login", () => {
  it("lets nobody in with a wrong password, and keeps the right one in", async () => {
    const own = await on.person();
    await own.logsInHere("ann", "plum-tree-at-noon");
    await own.page.getByText("Logged in as ann").waitFor();
    await own.press("Log out");
    await own.press("Log in");
    await own.fill({ Name: "ann", Password: "pear-tree-at-noon" });
    await own.press("Continue");
    await own.page.getByText("Bad username/password combination").waitFor();
  });

  it("opens a course by the licence key, and locks it with the token after the refund", async () => {
    const [cy, seller] = [await on.person(), await on.person()];
    await cy.buys(HANDBOOK, "cy.buys@example.com");
    const key = await cy.licenseKeyOf("cy.buys@example.com");
    await on.stack.sqs.idle();
    await cy.logsInHere("cy", "fig-tree-at-dawn");
    await cy.page.getByText("Logged in as cy").waitFor();
    await cy.shows(key);
    await cy.sees(HANDBOOK, "Open");
    await cy.region(HANDBOOK).getByRole("button", { name: "Read the lesson" }).click();
    await cy.region(HANDBOOK).getByText("A function that nobody calls costs nothing").waitFor();
    await seller.shopDoes("Refund", "cy.buys@example.com", "refunded");
    await cy.sees(HANDBOOK, "Locked");
  });

  it("makes who guesses wait, and says how long", async () => {
    const eve = await on.person();
    await eve.logsInHere("ann", "guess");
    const wait = eve.page.getByText(/Too many attempts. Try again in \d+ seconds./);
    while (!(await wait.isVisible())) await eve.press("Continue");
  });

  it("asks for a new login once the token is over", async () => {
    const di = await on.person();
    await di.logsInHere("di", "fig-tree-at-dawn");
    await di.page.getByText("Logged in as di").waitFor();
    await on.stack.advance(2 * 60 * 60_000);
    await di.page.getByText("Your login has expired: log in again.").waitFor();
    await di.page.getByRole("button", { name: "Log in" }).waitFor();
  });

  it("keeps who asked for it in for days, seen or not, and asks who was away for longer than a token lives",
    async () => {
      const ed = await remembered("ed");
      await unseen(ed, true);
      await pass(ed, 16, 50);
      await ed.page.getByText("Logged in as ed").waitFor();
      await ed.page.close();
      await on.stack.advance(30 * MINUTE_MS);
      const back = await ed.otherTab();
      await back.open("/courses/?login=own");
      await back.page.getByText("Logged in as ed").waitFor();
      await back.page.close();
      await on.stack.advance(61 * MINUTE_MS);
      const late = await ed.otherTab();
      await late.open("/courses/?login=own");
      await late.page.getByText("Nobody is logged in.").waitFor();
    });

  it("asks everybody else after twelve hours", async () => {
    const joe = await atClock();
    await joe.logsInHere("joe", PASSWORD);
    await joe.page.getByText("Logged in as joe").waitFor();
    await unseen(joe, true);
    await pass(joe, 14, 50);
    await joe.page.getByText("Logged in as joe").waitFor();
    await pass(joe, 2, 50);
    await joe.page.getByText("Your login has expired: log in again.").waitFor();
  });

  it("renews as soon as somebody looks at the page again", async () => {
    const lou = await remembered("lou");
    await unseen(lou, true);
    const renewed = lou.page.waitForResponse("**/verify");
    await unseen(lou, false);
    expect((await renewed).status()).toBe(200);
  });

  it("keeps nothing of a renewal when somebody logged out, or another in, before its answer came", async () => {
    const rex = await remembered("rex");
    const [asked, release] = await holdVerify(rex);
    await asked;
    const other = await rex.otherTab();
    await other.open("/courses/?login=own");
    await other.press("Log out");
    await rex.page.getByText("You logged out in another tab.").waitFor();
    await other.logsInHere("sue", PASSWORD, true);
    await other.page.getByText("Logged in as sue").waitFor();
    await release();
    await rex.page.getByText("You logged out in another tab.").waitFor();
    await other.open("/courses/?login=own");
    await other.page.getByText("Logged in as sue").waitFor();
    const [askedAgain, releaseAgain] = await holdVerify(other);
    await askedAgain;
    await other.press("Log out");
    await releaseAgain();
    await other.open("/courses/?login=own");
    await other.page.getByText("Nobody is logged in.").waitFor();
  });

  it("takes a one-time code for a forgotten password", async () => {
    const fay = await on.person();
    await fay.logsInHere("fay", "fig-tree-at-dawn");
    await fay.press("Log out");
    const { out } = await cliOn(on.stack)("accounts reset fay");
    await fay.press("Log in");
    await fay.press("I have a code");
    await fay.fill({ Name: "fay", Code: out.split("\n")[0] ?? "", "New password": "olive-tree-at-8" });
    await fay.findsNoBarrier();
    await fay.press("Continue");
    await fay.page.getByRole("form", { name: "Log in" }).waitFor();
    await fay.fill({ Name: "fay", Password: "olive-tree-at-8" });
    await fay.press("Continue");
    await fay.page.getByText("Logged in as fay").waitFor();
  });
});
