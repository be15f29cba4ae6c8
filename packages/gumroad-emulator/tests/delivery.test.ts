import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";

import { afterEach, describe, expect, it } from "@jest/globals";

import { GUMROAD_PING_DELAYS } from "../src/options.ts";
import { close, listen } from "emulator-server/json-server";
import { ask, CLUB, DAY, HANDBOOK, MINUTE, START, startListeningShop, startShop } from "./listening-shop.ts";

const ann = { product: HANDBOOK, email: "ann@example.com" };
const hook = "https://service.example/ping";

describe("a ping that isn't taken", () => {
  it.each([499, 500, 502, 503, 504, "unreachable"] as const)(
    "(%s) comes four times, 1, 3 and 10 minutes apart, in its first state",
    async (answer) => {
      const { shop, answers, bodies } = await startListeningShop();
      answers.push(answer, 200, answer, answer, answer);
      shop.refund(shop.sell(ann).sale);
      await shop.advance(DAY);
      const [first = "", , ...retries] = bodies;
      expect(first).toContain("&refunded=false&");
      expect(retries).toEqual([1, 2, 3].map((count) => `${first}&retry_count=${String(count)}`));
      const tries = shop.posts.filter(({ event }) => event === "sale");
      expect(tries.map(({ at, attempt, outcome }) => [(at - START) / MINUTE, attempt, outcome])).toEqual([[0, 0,
        answer], [1, 1, answer], [4, 2, answer], [14, 3, answer]]);
    },
  );

  it.each([301, 400, 401, 404, 408, 410, 413, 429, 501, 505])("(%i) is dropped for good", async (answer) => {
    const { shop, answers, bodies } = await startListeningShop();
    answers.push(answer);
    shop.sell(ann);
    await shop.advance(DAY);
    expect(bodies).toHaveLength(1);
  });

  it.each([200, 201, 204, 299])("(no: %i) is not sent again", async (answer) => {
    const { shop, answers, bodies } = await startListeningShop();
    answers.push(answer);
    shop.sell(ann);
    await shop.advance(DAY);
    expect(bodies).toHaveLength(1);
  });

  it("is tried until it is taken", async () => {
    const { shop, answers, bodies } = await startListeningShop();
    answers.push(500, 200);
    shop.sell(ann);
    await shop.flushPings();
    expect(bodies).toHaveLength(2);
    expect(shop.now()).toBe(START);
  });

  it("is a test ping: never again", async () => {
    const { shop, answers, bodies } = await startListeningShop();
    shop.sell(ann);
    answers.push(500);
    shop.sendTestPing(hook);
    await shop.advance(DAY);
    expect(bodies).toHaveLength(2);
  });
});

describe("who receives what", () => {
  it("is sales at the Ping URL, and each event where it is registered, twice if twice", async () => {
    const shop = await startShop({ pingUrl: "https://service.example/only-sales", deliver: () => 200 });
    await ask(shop, "/v2/resource_subscriptions", { method: "PUT",
      form: { resource_name: "refund", post_url: hook } });
    shop.subscribe("refund", hook);
    shop.subscribe("sale", hook);
    shop.refund(shop.sell(ann).sale);
    expect(shop.posts.map(({ event, url }) => `${event} ${url}`)).toEqual([`sale ${hook}`,
      "sale https://service.example/only-sales", `refund ${hook}`, `refund ${hook}`]);
  });

  it("is nobody but the Ping URL once the token is gone, or has no view_sales", async () => {
    const { shop, heard } = await startListeningShop();
    shop.setPingUrl("https://service.example/only-sales");
    shop.revokeToken();
    shop.refund(shop.sell(ann).sale);
    expect(heard()).toEqual(["sale"]);
    shop.addToken({ token: "other", scopes: ["edit_products"], application: "local" });
    shop.dispute(shop.sell(ann).sale);
    expect(heard()).toEqual(["sale"]);
    shop.addToken({ token: "other", scopes: ["view_sales"], application: "local" });
    shop.setPingUrl(undefined);
    shop.dispute(shop.sell(ann).sale);
    expect(heard()).toEqual(["sale", "dispute"]);
  });

  it("gets a sale again, with the flags of now, when the seller resends it", async () => {
    const { shop, heard } = await startListeningShop();
    const { sale, receiver } = shop.sell({ ...ann, gift: { to: "cy@example.com" } });
    shop.refund(sale);
    heard();
    shop.resendPing(sale);
    expect(heard("sale_id", "refunded")).toEqual([`sale ${receiver!.id} true`]);
  });

  it("gets as a test ping the latest sale that is no test", async () => {
    const { shop, heard } = await startListeningShop();
    expect(() => shop.sendTestPing(hook)).toThrow("needs a sale");
    const { sale } = shop.sell(ann);
    shop.sell({ ...ann, test: true });
    expect(() => shop.sendTestPing()).toThrow("needs a sale and a URL");
    heard();
    shop.sendTestPing(hook);
    expect(heard("sale_id", "test")).toEqual([`test ${sale.id} true`]);
  });
});

describe("pings sent late, as Gumroad's queue does", () => {
  it("tell the state of when they are sent, and leave out what no longer holds", async () => {
    const { shop, heard } = await startListeningShop({ pingDelays: GUMROAD_PING_DELAYS });
    const { sale, subscription } = shop.sell({ product: CLUB, email: "eve@example.com" });
    shop.refund(sale);
    shop.cancel(subscription!);
    shop.restart(subscription!);
    shop.end(subscription!);
    expect(heard()).toEqual([]);
    await shop.advance(10_000);
    // Nothing was paid for any more, so the cancellation ended it too; by now it has ended again, so no restart is
    // told.
    expect(heard("refunded", "cancelled_by_seller")).toEqual([
      "refund true -",
      "cancellation - true",
      "subscription_ended - -",
      "subscription_ended - -",
      "cancellation - true",
      "sale true -",
    ]);
  });
});

describe("chaos", () => {
  const sequence = (...values: number[]) => () => values.shift() ?? 0.99;

  it("loses, doubles and delays by chance", async () => {
    const { shop, heard } = await startListeningShop({
      chaos: { random: sequence(0.1, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.1, 0.5), lose: 0.2, duplicate: 0.2, delay: 0.2 },
    });
    for (const email of ["lost@example.com", "twice@example.com", "late@example.com", "plain@example.com"]) {
      shop.sell({ ...ann, email });
    }
    expect(heard("email")).toEqual(["sale twice@example.com", "sale twice@example.com", "sale plain@example.com"]);
    expect(shop.posts.map(({ outcome }) => outcome)).toEqual(["lost", 200, 200, 200]);
    await shop.advance(60 * MINUTE);
    expect(heard("email")).toEqual(["sale late@example.com"]);
  });

  it("can be ended, and what waits be sent", async () => {
    const { shop, heard } = await startListeningShop({ chaos: { random: () => 0, delay: 1, longestDelayMs: 1000 } });
    shop.sell(ann);
    shop.setChaos(undefined);
    shop.sell({ ...ann, email: "bo@example.com" });
    await shop.flushPings();
    expect(heard("email")).toEqual(["sale bo@example.com", "sale ann@example.com"]);
  });
});

describe("over HTTP", () => {
  const servers: Server[] = [];
  afterEach(() => Promise.all(servers.splice(0).map(close)));
  const serve = (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    return listen(server, 0);
  };

  it("the body is posted, with the URL's userinfo as Basic auth, and through 3 redirects but not 4", async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const hops = Number(request.url?.slice(1));
        seen.push(
          [request.method, request.url, request.headers["content-type"], request.headers.authorization,
            Buffer.concat(chunks).length].join(" "),
        );
        response.writeHead(hops > 0 ? 302 : 204, hops > 0 ? { location: `/${String(hops - 1)}` } : {}).end();
      });
    });
    const shop = await startShop({ pingUrl: `${url.replace("//", "//us%40er:p%3Aw@")}/3` });
    shop.sell(ann);
    await shop.settled();
    const [{ body = "", outcome } = {}] = shop.posts;
    const basic = `Basic ${Buffer.from("us@er:p:w").toString("base64")}`;
    expect(seen).toEqual(
      [3, 2, 1, 0].map((hops) =>
        `POST /${String(hops)} application/x-www-form-urlencoded ${basic} ${String(body.length)}`
      ),
    );
    expect(outcome).toBe(204);
    shop.setPingUrl(`${url}/4`);
    shop.sell(ann);
    await shop.settled();
    expect(shop.posts.at(-1)?.outcome).toBe(302);
  });

  it("what is too slow or not there is tried again", async () => {
    let asked = 0;
    const url = await serve(() => {
      asked += 1;
    });
    const shop = await startShop({ pingUrl: url, postTimeoutMs: 500 });
    shop.sell(ann);
    await shop.advance(MINUTE);
    expect(shop.posts.map(({ outcome }) => outcome)).toEqual(["unreachable", "unreachable"]);
    // On a very busy machine the time of one may be over before the server hears of it.
    expect(asked).toBeGreaterThan(0);
    await Promise.all(servers.splice(0).map(close));
    shop.setDeliver("http");
    shop.sell(ann);
    await shop.settled();
    expect(shop.posts.at(-1)?.outcome).toBe("unreachable");
  });
});
