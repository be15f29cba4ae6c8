import type { APIGatewayProxyEventV2 } from "aws-lambda";

import { rolesOf, type Policy } from "../access/policy.ts";
import { RefusedError } from "../errors.ts";
import { nestedOf, parseForm, textOf, withoutPrivateFields, withoutRetryCount, type Form } from "../gumroad/form.ts";
import { isTestPing, readPing } from "../gumroad/ping.ts";
import { acceptingSecret, type TokenSecret } from "../http/accepted-token.ts";
import { HttpError } from "../http/errors.ts";
import { bodyOf } from "../http/handler.ts";
import { buyerTag, log } from "../log.ts";
import { count } from "../metrics.ts";
import { digest } from "../queue/message.ts";
import type { DeadLetterQueue, Queue } from "../queue/queue.ts";
import { tokenOf, type PingSecret } from "./token.ts";

/** What receiving works with. `now` gives epoch milliseconds. */
export interface Receiving {
  readonly secret: TokenSecret<PingSecret>;
  readonly queue: Queue;
  readonly deadLetters: DeadLetterQueue;
  readonly policy: Policy;
  readonly now: () => number;
}

/** A body of this size is far above any real ping. */
const LARGEST_BYTES = 256 * 1024;
/** The answer to a ping with a right token that can never be right, by the error's code. */
const STATUS: Readonly<Record<string, number>> = { PING_NOT_UNDERSTOOD: 400, PING_OF_ANOTHER_SELLER: 403,
  PING_TOO_LARGE: 413, PING_NOT_A_FORM: 415 };

/**
 * Takes a ping in: returning means that it is in the queue (or was a test ping, which is only logged).
 * Gumroad sends again after 5xx only, and drops everything else for good. So whatever comes with a right token and
 * can't be understood is kept in the dead-letter queue before it is refused, and what is temporary is a 503.
 * @throws {HttpError} 400, 401, 403, 413 or 415
 * @throws {TemporaryError} and {@link NeedsPersonError}, as the secret and the queue do
 */
export async function receivePing(event: APIGatewayProxyEventV2, receiving: Receiving,
  signal: AbortSignal): Promise<void> {
  const secret = await acceptingSecret(tokenOf(event), receiving.secret, signal);
  if (secret === null) {
    throw new HttpError(401, "The token in the ping URL is missing or wrong: copy the whole URL again.");
  }
  const body = bodyOf(event);
  const { requestId } = event.requestContext;
  try {
    const form = formOf(event, body, secret.sellerId);
    if (isTestPing(form)) logTestPing(form, receiving.policy, requestId);
    else await enqueue(form, body, requestId, receiving, signal);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    await receiving.deadLetters.keep(error, requestId, withoutPrivateFields(body.slice(0, LARGEST_BYTES)), signal);
    throw new HttpError(STATUS[error.code] ?? 400, error.message, { cause: error });
  }
}

function formOf(event: APIGatewayProxyEventV2, body: string, sellerId: string): Form {
  if (Buffer.byteLength(body) > LARGEST_BYTES) {
    throw new RefusedError("PING_TOO_LARGE", "The body is larger than 256 KB, which no ping is.");
  }
  const type = (event.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new RefusedError("PING_NOT_A_FORM",
      "The Content-Type must be application/x-www-form-urlencoded, as Gumroad sends it.");
  }
  const form = parseForm(body);
  // Subscription pings don't say who sells.
  const seller = textOf(form, "seller_id");
  if (seller !== undefined && seller !== sellerId) {
    throw new RefusedError("PING_OF_ANOTHER_SELLER",
      "The ping's seller_id is not the shop that this service belongs to.");
  }
  return form;
}

async function enqueue(form: Form, body: string, requestId: string, { queue, now }: Receiving,
  signal: AbortSignal): Promise<void> {
  const ping = readPing(form);
  const pingId = digest(withoutRetryCount(body));
  await queue.send({ v: 1, kind: "ping", requestId, receivedAt: now(), pingId, buyer: ping.email, hops: 0, misses: 0,
    again: false, given: false, ping }, pingId, signal);
  count("Received");
  log.info("ping queued", { requestId, event: ping.event, product: ping.productId, buyer: buyerTag(ping.email),
    retry: textOf(form, "retry_count") });
}

/** Gumroad's test ping shows a real buyer's latest sale: it must change nothing, and shows that all is well. */
function logTestPing(form: Form, policy: Policy, requestId: string): void {
  const productId = textOf(form, "product_id");
  const product = policy.get(productId ?? "");
  const options = nestedOf(form, "variants");
  const variant = product !== undefined && "variant" in product ? (textOf(options, product.variant) ?? null) : null;
  log.info("test ping: nothing is changed", { requestId, product: productId, inPolicy: product !== undefined,
    wouldGrant: product === undefined ? [] : rolesOf(product, variant).roles });
}
