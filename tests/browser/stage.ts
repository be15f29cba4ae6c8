import { afterAll, beforeAll, describe } from "@jest/globals";
import type { Browser } from "playwright-core";

import { frontPages } from "../../local/front/front.ts";
import type { Stack } from "../../local/stack.ts";
import policy from "../../src/products.ts";
import { startLocal } from "../pipeline/local-stack.ts";
import { hasBrowser, Person, startBrowser } from "./person.ts";

/** What a file's stories share: the stack with its pages, and a browser. */
export interface Stage {
  readonly stack: Stack;
  /** Somebody new at a browser of their own. */
  person(look?: { readonly width?: number; readonly dark?: boolean }): Promise<Person>;
}

/** `describe`, or a skipped one where there is no browser. */
export const stories = hasBrowser() ? describe : describe.skip;

/** Starts what a file's stories share, and stops it after them. */
export function stage(): Stage {
  let stack: Stack | undefined;
  let browser: Browser | undefined;
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
  const stood = <Part>(part: Part | undefined): Part => {
    if (part === undefined) throw new Error("The stage stands from beforeAll on.");
    return part;
  };
  return { get stack() {
    return stood(stack);
  }, person: (look) => Person.at(stood(browser), stood(stack).url, look) };
}
