import { existsSync, mkdirSync } from "node:fs";

import { AxeBuilder } from "@axe-core/playwright";
import { expect } from "@jest/globals";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";

/** Debian's Chromium; another where CHROMIUM says so. */
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
/** Alone with itself: it looks nothing up by itself, and runs as root in a container. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
/** Only what hangs takes this long (ms). */
const PATIENCE_MS = 120_000;
/** Where pictures for the README and docs are written, if PICTURES names it. */
const PICTURES = process.env["PICTURES"];

/** Whether there is a browser. Where there is none, the stories are skipped loudly, and fail in CI. */
export function hasBrowser(): boolean {
  if (existsSync(CHROMIUM)) return true;
  if (process.env["CI"] !== undefined) throw new Error(`No browser at ${CHROMIUM}: apt-get install -y chromium`);
  process.stderr.write(`SKIPPED: no browser at ${CHROMIUM}. apt-get install -y chromium, or set CHROMIUM.\n`);
  return false;
}

/** Starts the browser that a file's stories share. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** Somebody at a browser of their own: cookies of nobody else. */
export class Person {
  readonly page: Page;
  readonly #base: string;

  private constructor(page: Page, base: string) {
    this.page = page;
    this.#base = base;
  }

  static async at(browser: Browser, base: string,
    look: { readonly width?: number; readonly dark?: boolean } = {}): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: look.width ?? 1_000, height: 800 },
      colorScheme: look.dark === true ? "dark" : "light" });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return new Person(page, base);
  }

  async open(path: string): Promise<void> {
    await this.page.goto(`${this.#base}${path}`);
  }

  /** Somebody at another tab of the same browser. */
  async otherTab(): Promise<Person> {
    const page = await this.page.context().newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return new Person(page, this.#base);
  }

  /** Goes on with the Tab key until this has the focus. */
  async tabTo(target: Locator): Promise<void> {
    await target.waitFor();
    while (!(await target.evaluate((element) => element.matches(":focus")))) await this.page.keyboard.press("Tab");
  }

  /** Types into a field that the Tab key leads to, in place of what is there. */
  async types(label: string, text: string, within: Page | Locator = this.page): Promise<void> {
    await this.tabTo(within.getByLabel(label, { exact: true }));
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.type(text);
  }

  /** Presses Enter on what the Tab key leads to. */
  async enters(role: "button" | "link", name: string, within: Page | Locator = this.page): Promise<void> {
    await this.tabTo(within.getByRole(role, { name, exact: true }).first());
    await this.page.keyboard.press("Enter");
  }

  region(name: string): Locator {
    return this.page.getByRole("region", { name, exact: true });
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  async fill(fields: Readonly<Record<string, string>>): Promise<void> {
    for (const [label, value] of Object.entries(fields)) {
      await this.page.getByLabel(label, { exact: true }).fill(value);
    }
  }

  /** Buys in the shop, perhaps for somebody else, perhaps a tier that isn't the first. */
  async buys(product: string, email: string, to?: string, tier?: string): Promise<void> {
    await this.open("/shop");
    const region = this.region(product);
    await region.getByLabel("Email").fill(email);
    if (tier !== undefined) await region.getByLabel("Tier").selectOption(tier);
    if (to !== undefined) await region.getByLabel("A gift for").fill(to);
    await region.getByRole("button", { name: to === undefined ? "Buy" : "Buy as a gift", exact: true }).click();
    await this.page.getByRole("row").filter({ hasText: to ?? email }).first().waitFor();
  }

  /** Presses a button of somebody's newest sale, which then stands so. */
  async shopDoes(act: string, email: string, state: string): Promise<void> {
    await this.open("/shop");
    const row = this.page.getByRole("row").filter({ hasText: email }).first();
    await row.getByRole("button", { name: act, exact: true }).click();
    await row.getByRole("cell", { name: state }).waitFor();
  }

  /** The licence key on the receipt of somebody's newest purchase. */
  async licenseKeyOf(email: string): Promise<string> {
    await this.open("/shop");
    return this.page.getByRole("row").filter({ hasText: email }).first().locator("code").innerText();
  }

  /** Shows a licence key at the courses, where somebody is logged in. */
  async shows(licenseKey: string): Promise<void> {
    await this.page.getByText("I paid and can't get in").click();
    await this.fill({ "Licence key": licenseKey });
    await this.press("Show the key");
    await this.page.getByText("Received.").waitFor();
  }

  /** Logs in at the courses with Google. */
  async logsInWithGoogle(email: string): Promise<void> {
    await this.open("/courses/");
    await this.press("Log in");
    await this.press("Continue with Google");
    await this.fill({ Email: email });
    await this.press("Continue");
    await this.page.getByText(`Logged in as ${email}`).waitFor();
  }

  async logsOut(): Promise<void> {
    await this.press("Log out");
    await this.page.getByText("Nobody is logged in.").waitFor();
  }

  /** Logs in, or signs up, with the service's own login. */
  async logsInHere(name: string, password: string, remember = false): Promise<void> {
    await this.open("/courses/?login=own");
    await this.press("Log in");
    await this.fill({ Name: name, Password: password });
    await this.page.getByLabel("Stay logged in").setChecked(remember);
    await this.press("Continue");
  }

  /** Follows the invitation to choose a password. */
  async choosesPassword(email: string, password: string): Promise<void> {
    await this.followsMail(email, "Choose a password");
    await this.fill({ Password: password });
    await this.press("Continue");
    await this.page.getByText("Your password is set").waitFor();
  }

  /** Follows the link of the newest mail to an address; mails come after the role, so they are waited for. */
  async followsMail(to: string, link: string): Promise<void> {
    await this.open("/");
    await this.page.getByRole("link", { name: "Inbox" }).click();
    const mail = this.page.getByRole("article").filter({ hasText: `To ${to}` }).getByRole("link", { name: link })
      .first();
    while ((await mail.count()) === 0) await this.page.reload();
    await mail.click();
  }

  /** Logs in at the courses with a password. */
  async logsIn(email: string, password: string): Promise<void> {
    await this.open("/courses/");
    await this.press("Log in");
    await this.fill({ Email: email, Password: password });
    await this.press("Continue");
  }

  /** The course's state is this, sooner or later. */
  async sees(course: string, state: "Open" | "Locked"): Promise<void> {
    await this.region(course).getByText(state, { exact: true }).waitFor();
  }

  /** Nothing that axe knows keeps anybody out of this page, and it fits its width. */
  async findsNoBarrier(): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    const overflow = await this.page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    expect(overflow).toBe(0);
  }

  async picture(name: string): Promise<void> {
    if (PICTURES === undefined) return;
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: `${PICTURES}/${name}.png` });
  }
}
