/** The whole loop in a real browser: buy, log in, the lesson opens; refund, it closes. */
import { expect, it } from "@jest/globals";

import { stage, stories } from "./stage.ts";

const HANDBOOK = "Serverless Handbook";
const PASSWORD = "Plum-tree-at-9";
const on = stage();

stories("a buyer", () => {
  it("follows the mail, chooses a password, reads the lesson, and is locked out after the refund", async () => {
    const [zoe, seller] = [await on.person(), await on.person()];
    await zoe.buys(HANDBOOK, "zoe@example.com");
    await zoe.picture("shop");
    await zoe.choosesPassword("zoe@example.com", PASSWORD);
    await zoe.page.getByRole("link", { name: "Go on to Courses" }).click();
    await zoe.logsIn("zoe@example.com", PASSWORD);
    await zoe.sees(HANDBOOK, "Open");
    await zoe.sees("Masterclass", "Locked");
    await zoe.region(HANDBOOK).getByRole("button", { name: "Read the lesson" }).click();
    await zoe.region(HANDBOOK).getByText("Hello").waitFor();
    await zoe.picture("open");
    await seller.shopDoes("Refund", "zoe@example.com", "refunded");
    await zoe.sees(HANDBOOK, "Locked");
    await zoe.picture("locked");
    await seller.open("/activity");
    const changed = (words: string) =>
      seller.page.getByRole("row").filter({ hasText: "zoe@example.com" })
        .filter({ hasText: words }).first().waitFor();
    await changed("gets serverless-handbook");
    await changed("loses serverless-handbook");
  });

  it("who chose a password is in with Google as well, and with the password afterwards", async () => {
    const yan = await on.person();
    await yan.buys(HANDBOOK, "yan@example.com");
    await yan.choosesPassword("yan@example.com", PASSWORD);
    await yan.logsIn("yan@example.com", PASSWORD);
    await yan.sees(HANDBOOK, "Open");
    await yan.logsOut();
    await yan.logsInWithGoogle("yan@example.com");
    await yan.sees(HANDBOOK, "Open");
    await yan.logsOut();
    await yan.logsIn("yan@example.com", PASSWORD);
    await yan.sees(HANDBOOK, "Open");
  });

  it("who signed up before, unverified, waits, follows the verification mail, and gets in", async () => {
    const una = await on.person();
    await una.open("/courses/");
    await una.press("Log in");
    await una.press("Sign up");
    await una.fill({ Email: "una@example.com", Password: PASSWORD });
    await una.press("Sign up");
    await una.page.getByText("Logged in as una@example.com").waitFor();
    await una.buys(HANDBOOK, "una@example.com");
    await on.stack.sqs.idle();
    await una.open("/courses/");
    await una.sees(HANDBOOK, "Locked");
    await una.page.getByText("I paid and can't get in").click();
    await una.page.getByText("not verified").waitFor();
    await una.followsMail("una@example.com", "Verify your email");
    await una.page.getByText("Your email is verified").waitFor();
    // What waits for it is looked at again by the minute.
    await on.stack.advance(10 * 60_000);
    await on.stack.invoke("reconcile");
    await on.stack.sqs.idle();
    // Nobody knows who chose the old password: it is replaced, its session ended, and the owner of the inbox chooses.
    await una.open("/courses/");
    await una.page.getByText("Nobody is logged in.").waitFor();
    await una.press("Log in");
    await una.page.getByRole("link", { name: "Forgot password?" }).click();
    await una.fill({ Email: "una@example.com" });
    await una.press("Continue");
    await una.choosesPassword("una@example.com", "Another-one-7");
    await una.logsIn("una@example.com", "Another-one-7");
    await una.sees(HANDBOOK, "Open");
  });

  it("who was given something has it, and the giver has not", async () => {
    const [may, gus] = [await on.person(), await on.person()];
    await gus.buys(HANDBOOK, "gus@example.com", "may@example.com");
    await gus.page.getByText("Gumroad tells nobody that a gift was refunded").waitFor();
    await may.choosesPassword("may@example.com", PASSWORD);
    await may.logsIn("may@example.com", PASSWORD);
    await may.sees(HANDBOOK, "Open");
    expect(on.stack.auth0.rolesOfEmail("gus@example.com")).toEqual([]);
  });

  it("who bought ahead, or pays in instalments, gets in when the product is released, and from the first payment",
    async () => {
      const [pia, ian] = [await on.person(), await on.person()];
      await pia.open("/shop");
      await pia.region("React for Data Visualization").getByRole("button", { name: "Take preorders" }).click();
      const gift = pia.region("React for Data Visualization").getByRole("button", { name: "Buy as a gift" });
      expect(await gift.getAttribute("title")).toBe("A preorder can't be given as a gift");
      await pia.buys("React for Data Visualization", "pia@example.com");
      await ian.buys("Masterclass", "ian@example.com");
      await on.stack.sqs.idle();
      expect(on.stack.auth0.rolesOfEmail("pia@example.com")).toEqual([]);
      expect(on.stack.auth0.rolesOfEmail("ian@example.com")).toEqual(["masterclass"]);
      await pia.open("/shop");
      await pia.region("React for Data Visualization").getByRole("button", { name: "Release it now" }).click();
      await on.stack.gumroad.settled();
      await on.stack.sqs.idle();
      expect(on.stack.auth0.rolesOfEmail("pia@example.com")).toEqual(["react-for-dataviz"]);
    });

  it("who was given a membership is in by its tier until it ends; all that is sold can be given", async () => {
    const [mel, guy] = [await on.person(), await on.person()];
    await guy.buys("Pro Club", "guy@example.com", "mel@example.com", "Premium");
    await mel.choosesPassword("mel@example.com", PASSWORD);
    await mel.logsIn("mel@example.com", PASSWORD);
    await mel.sees("Pro Club", "Open");
    await mel.sees("Pro Club Premium", "Open");
    await guy.buys("Masterclass", "guy@example.com", "mel@example.com");
    await guy.buys("Everything Bundle", "guy@example.com", "mel@example.com");
    await mel.sees("Masterclass", "Open");
    await mel.sees("React for Data Visualization", "Open");
    await guy.open("/shop");
    const given = guy.page.getByRole("row").filter({ hasText: "mel@example.com" }).filter({ hasText: "Pro Club" });
    await given.getByRole("button", { name: "Cancel", exact: true }).click();
    await given.getByRole("cell", { name: "cancelled, runs out" }).waitFor();
    await mel.sees("Pro Club", "Open");
    await given.getByRole("button", { name: "Dispute", exact: true }).click();
    await mel.sees("Pro Club", "Locked");
  });

  it("who bought with an address nobody logs in with shows the licence key, and the course opens", async () => {
    const bo = await on.person();
    await bo.buys(HANDBOOK, "bo.at.work@example.com");
    const key = await bo.licenseKeyOf("bo.at.work@example.com");
    await on.stack.sqs.idle();
    await bo.logsInWithGoogle("bo@example.com");
    await bo.sees(HANDBOOK, "Locked");
    await bo.shows(key);
    const field = bo.page.getByLabel("Licence key");
    await field.focus();
    await bo.sees(HANDBOOK, "Open");
    // The page is another now; who types into it doesn't notice.
    expect(await field.inputValue()).toBe(key);
    expect(await bo.page.locator("input[name=licenseKey]:focus").count()).toBe(1);
    expect(on.stack.auth0.rolesOfEmail("bo.at.work@example.com")).toEqual([]);
  });

  it("who is logged in keeps the course when somebody else shows its key, and sees that they ask", async () => {
    const [ola, eve] = [await on.person(), await on.person()];
    await ola.buys(HANDBOOK, "ola@example.com");
    await on.stack.sqs.idle();
    await ola.logsInWithGoogle("ola@example.com");
    await ola.sees(HANDBOOK, "Open");
    await eve.logsInWithGoogle("eve@example.com");
    const key = await ola.licenseKeyOf("ola@example.com");
    await eve.shows(key);
    await on.stack.sqs.idle();
    await ola.open("/courses/");
    await ola.sees(HANDBOOK, "Open");
    await ola.page.getByText(`Somebody showed the licence key of your ${HANDBOOK}`).waitFor();
    await ola.findsNoBarrier();
    expect(on.stack.auth0.rolesOfEmail("eve@example.com")).toEqual([]);
  });
});
