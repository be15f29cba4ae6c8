#!/usr/bin/env node
// `gumroad-emulator`: a shop on this machine and on its clock, until Ctrl-C.
import { parseArgs } from "node:util";

import { portIn, runCommand, type Running } from "emulator-server/command";
import { startGumroadEmulator } from "./emulator.ts";
import { LOCAL_ACCESS_TOKEN } from "./options.ts";

const USAGE = `gumroad-emulator [options]

  --port PORT          where it listens on 127.0.0.1; 3002, and 0 takes any free port
  --ping-url URL       Settings > Advanced > Ping: told of each sale
  --events-url URL     told of all eight events: sale, refund, dispute, cancellation …
  --token TOKEN        an access token of the API, with the scope view_sales; ${LOCAL_ACCESS_TOKEN}
  --subdomain NAME     first part of the shop's addresses; acme
  --help               this text
`;
/** How often it looks what is due. */
const TICK_MS = 1_000;

await runCommand("gumroad-emulator", USAGE, begin);

async function begin(): Promise<Running> {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "3002" }, "ping-url": { type: "string" },
      "events-url": { type: "string" }, token: { type: "string", default: LOCAL_ACCESS_TOKEN },
      subdomain: { type: "string", default: "acme" } },
  });
  const { "ping-url": pingUrl, "events-url": eventsUrl, token, subdomain } = values;
  for (const url of [pingUrl, eventsUrl]) {
    if (url !== undefined && !/^https?:/.test(url)) throw new Error(`${url} is no http address`);
  }
  const shop = await startGumroadEmulator({ port: portIn(values.port), subdomain,
    tokens: [{ token, scopes: ["view_sales"], application: "local" }], ...(pingUrl === undefined ? {} : { pingUrl }),
    ...(eventsUrl === undefined ? {} : { eventsUrl }) });
  const ticking = setInterval(() => void shop.advance(0), TICK_MS);
  const told = [...(pingUrl === undefined ? [] : [`sales to ${pingUrl}`]),
    ...(eventsUrl === undefined ? [] : [`all events to ${eventsUrl}`])];
  return { lines: [
    `Shop      ${shop.url}`,
    `API       ${shop.apiUrl}  access_token ${token}`,
    `Seller    ${shop.sellerId}`,
    `Pings     ${told.join("; ") || "to nobody: see --ping-url and --events-url"}`,
    `Products  ${shop.url}/_emulator/products`,
    "",
    "Sell something:",
    `  curl ${shop.url}/_emulator/acts/sell -d '{"product": "serverless-handbook", "email": "ann@example.com"}'`,
    "",
  ], stop: async () => {
    clearInterval(ticking);
    await shop.stop();
  } };
}
