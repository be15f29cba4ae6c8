import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";

import { acceptedTokens, tokenSettings } from "../accounts/settings.ts";
import { createThrottle } from "../accounts/throttle.ts";
import { accountsTable, findUser, noteClaims } from "../accounts/users.ts";
import { type Claiming, claimCall, requestsCall } from "../claims/claim.ts";
import { readLedger } from "../claims/linked.ts";
import { awsLimits } from "../config/aws.ts";
import { requiredSetting } from "../config/settings.ts";
import { httpHandler } from "../http/handler.ts";
import { ledgerTable } from "../ledger/keys.ts";
import policy from "../products.ts";
import { sqsQueue } from "../queue/queue.ts";

const limits = awsLimits({ connectMs: 500, requestMs: 1_000, attempts: 2 });
const settings = tokenSettings();
const dynamo = new DynamoDBClient(limits);
const accounts = accountsTable(dynamo, requiredSetting("ACCOUNTS_TABLE"));
const claiming: Claiming = { verify: acceptedTokens(settings), ownIssuer: settings.issuer,
  throttle: createThrottle({ table: accounts }),
  users: { find: (name) => findUser(accounts, name), note: (...change) => noteClaims(accounts, ...change) },
  ledger: readLedger(ledgerTable(dynamo, requiredSetting("LEDGER_TABLE"))),
  queue: sqsQueue(new SQSClient(limits), requiredSetting("QUEUE_URL")), policy, api: requiredSetting("GUMROAD_API"),
  now: Date.now };
const claim = claimCall(claiming);
const requests = requestsCall(claiming);

/** `POST /claim`: a licence key shows whose a purchase is. `GET /claim`: who else asks for what is the caller's. */
export const handler = httpHandler((event, context) =>
  (event.routeKey === "POST /claim" ? claim : requests)(event, context)
);
