/** The pages of `npm start`: for everybody, by keyboard alone, and for nobody else's use. */
import { expect, it } from "@jest/globals";
import { fixtureProducts } from "gumroad-emulator/products";

import { stage, stories } from "./stage.ts";

const HANDBOOK = "Serverless Handbook";
const PASSWORD = "Plum-tree-at-9";
/** In how many lines a table shows a text. For a browser, which these files have no types of. */
const linesOf = (text: string) =>
  `(() => {
    const cell = [...document.querySelectorAll("td")].find(({ textContent }) => textContent === "${text}");
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getClientRects().length;
  })()`;
const on = stage();

stories("every page", () => {
  it.each([{ width: 360, dark: false }, { width: 360, dark: true }, { width: 1_280, dark: false }, { width: 1_280,
    dark: true }])("keeps nobody out, $width px wide, dark: $dark", async (look) => {
      const visitor = await on.person(look);
      const email = `vic.${String(look.width)}.${String(look.dark)}@example.com`;
      await visitor.buys("Pro Club", email);
      // Nobody reads an address that is broken within its words.
      expect(await visitor.page.evaluate(linesOf(email))).toBe(1);
      for (const path of ["/", "/shop", "/activity", "/courses/", "/courses/?login=own"]) {
        await visitor.open(path);
        await visitor.page.getByRole("heading", { level: 1 }).waitFor();
        await visitor.findsNoBarrier();
      }
      await visitor.choosesPassword(email, PASSWORD);
      await visitor.page.goto(`${on.stack.auth0.url}/_emulator/inbox`);
      await visitor.findsNoBarrier();
      await visitor.open("/courses/");
      await visitor.press("Log in");
      await visitor.fill({ Email: email, Password: "no" });
      await visitor.press("Continue");
      await visitor.page.getByRole("alert").waitFor();
      await visitor.findsNoBarrier();
      await visitor.press("Continue with Google");
      await visitor.findsNoBarrier();
      await visitor.logsIn(email, PASSWORD);
      await visitor.sees("Pro Club", "Open");
      await visitor.page.getByText("I paid and can't get in").click();
      await visitor.region("Pro Club").getByRole("button", { name: "Read the lesson" }).click();
      await visitor.region("Pro Club").getByText("Hello").waitFor();
      await visitor.findsNoBarrier();
      await visitor.open("/courses/?login=own");
      await visitor.press("Log in");
      await visitor.findsNoBarrier();
    });

  it("is used with the keyboard alone, from the purchase to the lesson", async () => {
    const kim = await on.person();
    await kim.open("/");
    await kim.enters("link", "Shop");
    await kim.types("Email", "kim@example.com", kim.region(HANDBOOK));
    await kim.enters("button", "Buy", kim.region(HANDBOOK));
    await kim.page.getByRole("cell", { name: "kim@example.com" }).waitFor();
    await on.stack.sqs.idle();
    await kim.enters("link", "Inbox");
    await kim.enters("link", "Choose a password");
    await kim.types("Password", PASSWORD);
    await kim.page.keyboard.press("Enter");
    await kim.enters("link", "Go on to Courses");
    await kim.enters("button", "Log in");
    await kim.types("Email", "kim@example.com");
    await kim.types("Password", PASSWORD);
    await kim.enters("button", "Continue");
    await kim.sees(HANDBOOK, "Open");
    await kim.enters("button", "Read the lesson");
    await kim.region(HANDBOOK).getByText("Hello").waitFor();
    await kim.tabTo(kim.page.locator("summary"));
    await kim.page.keyboard.press("Enter");
    await kim.types("Licence key", "NO-SUCH-KEY");
    await kim.enters("button", "Show the key");
    await kim.page.getByText("Received.").waitFor();
    await kim.enters("button", "Log out");
    await kim.page.getByText("Nobody is logged in.").waitFor();
    await kim.enters("button", "Log in");
    await kim.enters("button", "Continue with Google");
    await kim.types("Email", "kim@example.com");
    await kim.page.keyboard.press("Enter");
    await kim.page.getByText("Logged in as kim@example.com").waitFor();
  });

  it("has each name once: the front page's links, a product's buttons, a sale's", async () => {
    const ann = await on.person();
    await ann.open("/");
    for (const name of ["Shop", "Courses", "Inbox", "Activity"]) {
      expect(await ann.page.getByRole("link", { name }).count()).toBe(1);
    }
    await ann.open("/shop");
    for (const { id, name } of fixtureProducts()) {
      for (const button of ["Buy", "Buy as a gift"]) {
        expect(await ann.region(name).getByRole("button", { name: button, exact: true }).isEnabled()).toBe(true);
      }
      on.stack.gumroad.sell({ product: id, email: "ann@example.com" });
    }
    await ann.open("/shop");
    const rows = await ann.page.getByRole("row").filter({ hasText: "ann@example.com" }).all();
    expect(rows).toHaveLength(7);
    for (const row of rows) {
      for (const name of ["Refund", "Dispute", "Cancel"]) {
        const button = row.getByRole("button", { name, exact: true });
        // What makes no sense says why.
        expect((await button.isEnabled()) || (await button.getAttribute("title")) !== null).toBe(true);
      }
    }
  });

  it("shows what somebody typed as text", async () => {
    const eve = await on.person();
    const said: string[] = [];
    eve.page.on("dialog", (dialog) => {
      said.push(dialog.message());
      void dialog.dismiss();
    });
    const evil = (place: string) => `"><img src=x onerror=alert("${place}")>`;
    const { gumroad, auth0 } = on.stack;
    const product = gumroad.addProduct({ kind: "single", id: "evilevilevilevilevile1==", name: evil("name"),
      permalink: evil("slug"), shortId: evil("short"), priceCents: 100 });
    gumroad.sell({ product: product.id, email: `${evil("email")}@example.com`, ids: { licenseKey: evil("key") } });
    await gumroad.settled();
    for (const path of ["/shop", `/shop?product=${encodeURIComponent(evil("query"))}`, "/activity"]) {
      await eve.open(path);
      await eve.page.getByText(evil(path === "/activity" ? "name" : "email")).first().waitFor();
      expect(await eve.page.locator("img").count()).toBe(0);
    }
    await eve.open("/courses/");
    await eve.press("Log in");
    await eve.page.locator("form").first().evaluate((form) => form.setAttribute("novalidate", ""));
    await eve.fill({ Email: `${evil("login")}@example.com`, Password: PASSWORD });
    await eve.press("Sign up");
    await eve.page.getByText(`Logged in as ${evil("login")}`).waitFor();
    await eve.page.goto(`${auth0.url}/_emulator/inbox`);
    await eve.page.getByText(evil("login")).waitFor();
    expect(await eve.page.locator("img").count()).toBe(0);
    expect(said).toEqual([]);
  });
});

stories("a shop", () => {
  it("sells and refunds once by a double click", async () => {
    const dot = await on.person();
    await dot.open("/shop");
    await dot.region(HANDBOOK).getByLabel("Email").fill("dot@example.com");
    await dot.region(HANDBOOK).getByRole("button", { name: "Buy", exact: true }).dblclick();
    await dot.page.getByRole("cell", { name: "dot@example.com" }).waitFor();
    expect(on.stack.gumroad.sales.filter(({ email }) => email === "dot@example.com")).toHaveLength(1);
    const row = dot.page.getByRole("row").filter({ hasText: "dot@example.com" });
    await row.getByRole("button", { name: "Refund", exact: true }).dblclick();
    await row.getByRole("cell", { name: "refunded" }).waitFor();
    expect(await dot.page.getByRole("alert").count()).toBe(0);
  });

  it("is found by who opens an emulator's address instead", async () => {
    const { auth0, gumroad, url } = on.stack;
    const lost = await on.person();
    for (const emulator of [auth0, gumroad]) {
      await lost.page.goto(emulator.url);
      await lost.findsNoBarrier();
      await lost.page.getByRole("link", { name: `${url}/` }).click();
      await lost.page.getByRole("link", { name: "Courses" }).waitFor();
      expect((await fetch(emulator.url)).status).toBe(404);
    }
  });

  it("takes orders of its own pages only, under this machine's name", async () => {
    const { url } = on.stack;
    const status = async (path: string, headers: Readonly<Record<string, string>>) =>
      (await fetch(`${url}${path}`, { method: "POST", redirect: "manual", headers })).status;
    for (const path of ["/shop/sell", "/shop/refund", "/shop/move-time"]) {
      expect(await status(path, { origin: url })).toBe(303);
      for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1"]) {
        expect(await status(path, { origin })).toBe(403);
      }
      expect(await status(path, {})).toBe(403);
    }
    const local = await on.person();
    await local.page.goto(`${url.replace("127.0.0.1", "localhost")}/courses/`);
    expect(local.page.url()).toBe(`${url}/courses/`);
  });
});

stories("a login", () => {
  it("stands a step back, a page loaded again, and a code that is used", async () => {
    const bea = await on.person();
    await bea.open("/courses/");
    await bea.press("Log in");
    await bea.page.getByLabel("Password").waitFor();
    await bea.page.goBack();
    await bea.page.getByText("Nobody is logged in.").waitFor();
    const callback = bea.page.waitForRequest((request) => request.url().includes("code="));
    await bea.logsInWithGoogle("bea@example.com");
    const used = (await callback).url();
    await bea.page.goto(used);
    await bea.page.getByText("Logged in as bea@example.com").waitFor();
    await bea.page.goBack();
    await bea.page.goForward();
    await bea.page.getByText("Logged in as bea@example.com").waitFor();
    const stranger = await on.person();
    await stranger.page.goto(used);
    await stranger.page.getByText("That login didn't work. Log in again.").waitFor();
  });

  it("that took too long leads back to where it began", async () => {
    const lea = await on.person();
    await lea.open("/courses/");
    await lea.press("Log in");
    await lea.fill({ Email: "lea@example.com", Password: PASSWORD });
    await on.stack.advance(61 * 60_000);
    await lea.press("Sign up");
    await lea.page.getByText("This login is over.").waitFor();
    await lea.page.getByRole("link", { name: "Go on to Courses" }).click();
    await lea.page.getByText("Nobody is logged in.").waitFor();
  });

  it("comes to its end by a double click, and so does a log-out", async () => {
    const dan = await on.person();
    await dan.logsInWithGoogle("dan@example.com");
    await dan.page.getByRole("button", { name: "Log out" }).dblclick();
    await dan.page.getByText("Nobody is logged in.").waitFor();
    await dan.page.getByRole("button", { name: "Log in" }).dblclick();
    await dan.press("Continue with Google");
    await dan.fill({ Email: "dan@example.com" });
    await dan.page.getByRole("button", { name: "Continue" }).dblclick();
    await dan.page.getByText("Logged in as dan@example.com").waitFor();
  });

  it("is over in every tab when it is in one", async () => {
    const tia = await on.person();
    await tia.logsInWithGoogle("tia@example.com");
    const other = await tia.otherTab();
    await other.open("/courses/");
    await other.page.getByText("Logged in as tia@example.com").waitFor();
    await other.logsOut();
    await tia.page.getByText("You logged out in another tab.").waitFor();
  });

  it("of another, from a page that was open before, is theirs", async () => {
    const tom = await on.person();
    await tom.open("/courses/");
    await tom.press("Log in");
    await tom.press("Continue with Google");
    const uma = await tom.otherTab();
    await uma.logsInWithGoogle("uma@example.com");
    await tom.fill({ Email: "tom@example.com" });
    await tom.press("Continue");
    await tom.page.getByText("Logged in as tom@example.com").waitFor();
  });
});
