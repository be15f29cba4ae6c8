/** The whole loop in a real browser: buy, log in, the lesson opens; refund, it closes. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";

import { frontPages } from "../../local/front/front.ts";
import type { Stack } from "../../local/stack.ts";
import policy from "../../src/products.ts";
import { cliOn } from "../cli/local-cli.ts";
import { startLocal } from "../pipeline/local-stack.ts";
import { hasBrowser, Person, startBrowser } from "./person.ts";

const HANDBOOK = "Serverless Handbook";
const PASSWORD = "Plum-tree-at-9";
const stories = hasBrowser() ? describe : describe.skip;

let stack: Stack;
let browser: Browser;
beforeAll(async () => {
  if (!hasBrowser()) return;
  [stack, browser] = await Promise.all([
    startLocal({ login: true, pages: (running) => frontPages(running, policy) }),
    startBrowser(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

const person = (look = {}) => Person.at(browser, stack.url, look);

stories("a buyer", () => {
  it("follows the mail, chooses a password, reads the lesson, and is locked out after the refund", async () => {
    const [zoe, seller] = [await person(), await person()];
    await zoe.buys(HANDBOOK, "zoe@example.com");
    await zoe.picture("shop");
    await zoe.followsMail("zoe@example.com", "Choose a password");
    await zoe.fill({ Password: PASSWORD });
    await zoe.press("Continue");
    await zoe.page.getByRole("link", { name: "Go on to Courses" }).click();
    await zoe.logsIn("zoe@example.com", PASSWORD);
    await zoe.sees(HANDBOOK, "Open");
    await zoe.sees("Masterclass", "Locked");
    await zoe.region(HANDBOOK).getByRole("button", { name: "Read the lesson" }).click();
    await zoe.region(HANDBOOK).getByText("Hello").waitFor();
    await zoe.picture("open");
    await seller.shopDoes("Refund", "zoe@example.com");
    await zoe.sees(HANDBOOK, "Locked");
    await zoe.picture("locked");
    await seller.open("/activity");
    const changed = (words: string) =>
      seller.page.getByRole("row").filter({ hasText: "zoe@example.com" })
        .filter({ hasText: words }).first().waitFor();
    await changed("gets serverless-handbook");
    await changed("loses serverless-handbook");
  });

  it("who logs in with Google after buying with a password is in", async () => {
    const yan = await person();
    await yan.buys(HANDBOOK, "yan@example.com");
    await yan.followsMail("yan@example.com", "Choose a password");
    await yan.logsInWithGoogle("yan@example.com");
    await yan.sees(HANDBOOK, "Open");
  });

  it("who signed up before, unverified, waits, follows the verification mail, and gets in", async () => {
    const una = await person();
    await una.open("/courses/");
    await una.press("Log in");
    await una.page.getByRole("link", { name: "Sign up" }).click();
    await una.fill({ Email: "una@example.com", Password: PASSWORD });
    await una.press("Sign up");
    await una.page.getByText("Logged in as una@example.com").waitFor();
    await una.buys(HANDBOOK, "una@example.com");
    await stack.sqs.idle();
    await una.open("/courses/");
    await una.sees(HANDBOOK, "Locked");
    await una.page.getByText("I paid and can't get in").click();
    await una.page.getByText("not verified").waitFor();
    await una.followsMail("una@example.com", "Verify your email");
    await una.page.getByText("Your email is verified").waitFor();
    // What waits for it is looked at again by the minute.
    await stack.advance(10 * 60_000);
    await stack.invoke("reconcile");
    await stack.sqs.idle();
    // Nobody knows who chose the old password: it is replaced, its session ended, and the owner of the inbox chooses.
    await una.open("/courses/");
    await una.page.getByText("Nobody is logged in.").waitFor();
    await una.press("Log in");
    await una.page.getByRole("link", { name: "Forgot password?" }).click();
    await una.fill({ Email: "una@example.com" });
    await una.press("Continue");
    await una.followsMail("una@example.com", "Choose a password");
    await una.fill({ Password: "Another-one-7" });
    await una.press("Continue");
    await una.logsIn("una@example.com", "Another-one-7");
    await una.sees(HANDBOOK, "Open");
  });

  it("who was given something has it, and the giver has not", async () => {
    const [may, gus] = [await person(), await person()];
    await gus.buys(HANDBOOK, "gus@example.com", "may@example.com");
    await may.followsMail("may@example.com", "Choose a password");
    await may.fill({ Password: PASSWORD });
    await may.press("Continue");
    await may.logsIn("may@example.com", PASSWORD);
    await may.sees(HANDBOOK, "Open");
    expect(stack.auth0.rolesOfEmail("gus@example.com")).toEqual([]);
  });

  it("who bought with an address nobody logs in with shows the licence key, and the course opens", async () => {
    const bo = await person();
    await bo.buys(HANDBOOK, "bo.at.work@example.com");
    const key = await bo.licenseKeyOf("bo.at.work@example.com");
    await stack.sqs.idle();
    await bo.logsInWithGoogle("bo@example.com");
    await bo.sees(HANDBOOK, "Locked");
    await bo.shows(key);
    await bo.sees(HANDBOOK, "Open");
    expect(stack.auth0.rolesOfEmail("bo.at.work@example.com")).toEqual([]);
  });

  it("who is logged in keeps the course when somebody else shows its key, and sees that they ask", async () => {
    const [ola, eve] = [await person(), await person()];
    await ola.buys(HANDBOOK, "ola@example.com");
    await stack.sqs.idle();
    await ola.logsInWithGoogle("ola@example.com");
    await ola.sees(HANDBOOK, "Open");
    await eve.logsInWithGoogle("eve@example.com");
    const key = await ola.licenseKeyOf("ola@example.com");
    await eve.shows(key);
    await stack.sqs.idle();
    await ola.open("/courses/");
    await ola.sees(HANDBOOK, "Open");
    await ola.page.getByText(`Somebody showed the licence key of your ${HANDBOOK}`).waitFor();
    await ola.findsNoBarrier();
    expect(stack.auth0.rolesOfEmail("eve@example.com")).toEqual([]);
  });

  it("who bought ahead, or pays in instalments, gets in when the product is released, and from the first payment",
    async () => {
      const [pia, ian] = [await person(), await person()];
      await pia.open("/shop");
      await pia.region("React for Data Visualization").getByRole("button", { name: "Take preorders" }).click();
      await pia.buys("React for Data Visualization", "pia@example.com");
      await ian.buys("Masterclass", "ian@example.com");
      await stack.sqs.idle();
      expect(stack.auth0.rolesOfEmail("pia@example.com")).toEqual([]);
      expect(stack.auth0.rolesOfEmail("ian@example.com")).toEqual(["masterclass"]);
      await pia.open("/shop");
      await pia.region("React for Data Visualization").getByRole("button", { name: "Release it now" }).click();
      await stack.gumroad.settled();
      await stack.sqs.idle();
      expect(stack.auth0.rolesOfEmail("pia@example.com")).toEqual(["react-for-dataviz"]);
    });
});

stories("the self-built login", () => {
  it("lets nobody in with a wrong password, and keeps the right one in", async () => {
    const own = await person();
    await own.logsInHere("ann", "plum-tree-at-noon");
    await own.page.getByText("Logged in as ann").waitFor();
    await own.press("Log out");
    await own.press("Log in");
    await own.fill({ Name: "ann", Password: "pear-tree-at-noon" });
    await own.press("Continue");
    await own.page.getByText("Bad username/password combination").waitFor();
  });

  it("opens a course by the licence key, and locks it with the token after the refund", async () => {
    const [cy, seller] = [await person(), await person()];
    await cy.buys(HANDBOOK, "cy.buys@example.com");
    const key = await cy.licenseKeyOf("cy.buys@example.com");
    await stack.sqs.idle();
    await cy.logsInHere("cy", "fig-tree-at-dawn");
    await cy.page.getByText("Logged in as cy").waitFor();
    await cy.shows(key);
    await cy.sees(HANDBOOK, "Open");
    await cy.region(HANDBOOK).getByRole("button", { name: "Read the lesson" }).click();
    await cy.region(HANDBOOK).getByText("A function that nobody calls costs nothing").waitFor();
    await seller.shopDoes("Refund", "cy.buys@example.com");
    await cy.sees(HANDBOOK, "Locked");
  });

  it("makes who guesses wait, and says how long", async () => {
    const eve = await person();
    await eve.logsInHere("ann", "guess");
    const wait = eve.page.getByText(/Too many attempts. Try again in \d+ seconds./);
    while (!(await wait.isVisible())) await eve.press("Continue");
  });

  it("asks for a new login once the token is over", async () => {
    const di = await person();
    await di.logsInHere("di", "fig-tree-at-dawn");
    await di.page.getByText("Logged in as di").waitFor();
    await stack.advance(2 * 60 * 60_000);
    await di.page.getByText("Your login has expired: log in again.").waitFor();
    await di.page.getByRole("button", { name: "Log in" }).waitFor();
  });

  it("keeps who asked for it logged in for days", async () => {
    const ed = await person();
    await ed.open("/courses/?login=own");
    await ed.press("Log in");
    await ed.fill({ Name: "ed", Password: "fig-tree-at-dawn" });
    await ed.page.getByLabel("Stay logged in for 30 days").check();
    await ed.press("Continue");
    await ed.page.getByText("Logged in as ed").waitFor();
    await ed.page.close();
    const later = await ed.page.context().newPage();
    await later.goto(`${stack.url}/courses/?login=own`);
    await later.getByText("Logged in as ed").waitFor();
  });

  it("takes a one-time code for a forgotten password", async () => {
    const fay = await person();
    await fay.logsInHere("fay", "fig-tree-at-dawn");
    await fay.press("Log out");
    const { out } = await cliOn(stack)("accounts reset fay");
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

stories("every page", () => {
  it.each([{ width: 360, dark: false }, { width: 360, dark: true }, { width: 1_280, dark: false }])(
    "keeps nobody out, $width px wide, dark: $dark",
    async (look) => {
      const visitor = await person(look);
      for (const path of ["/", "/shop", "/courses/", "/courses/?login=own", "/activity"]) {
        await visitor.open(path);
        await visitor.page.getByRole("heading", { level: 1 }).waitFor();
        await visitor.findsNoBarrier();
      }
      await visitor.page.goto(`${stack.auth0.url}/_emulator/inbox`);
      await visitor.findsNoBarrier();
      await visitor.open("/courses/");
      await visitor.press("Log in");
      await visitor.page.getByLabel("Password").waitFor();
      await visitor.findsNoBarrier();
    },
  );

  it("is used with the keyboard alone", async () => {
    const kim = await person();
    await kim.open("/courses/");
    const tabTo = async (name: string) => {
      const target = kim.page.getByRole("button", { name, exact: true });
      await target.waitFor();
      const focused = () => kim.page.evaluate("document.activeElement?.textContent");
      while ((await focused()) !== name) await kim.page.keyboard.press("Tab");
      await kim.page.keyboard.press("Enter");
    };
    await tabTo("Log in");
    await tabTo("Continue with Google");
    await kim.page.getByLabel("Email").focus();
    await kim.page.keyboard.type("kim@example.com");
    await kim.page.keyboard.press("Enter");
    await kim.page.getByText("Logged in as kim@example.com").waitFor();
    await tabTo("Log out");
    await kim.page.getByText("Nobody is logged in.").waitFor();
  });
});
