import { createHmac } from "node:crypto";

import fc from "fast-check";

import { FIXTURE_SELLER } from "gumroad-emulator/options";

import { LOCAL_TOKEN } from "../../local/known-values.ts";
import { SECRET_MARK, withMark } from "./marks.ts";

/** A request of a stranger's, as API Gateway hands it to a function: all of it is text, whatever the bytes were. */
export interface HostileRequest {
  readonly route: Route;
  readonly body: string | undefined;
  readonly base64: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
  readonly sourceIp: string;
}

/** The declared routes that strangers reach, with the function behind each. */
export const ROUTES = { "POST /ping/{token+}": "ping", "POST /ping": "ping", "POST /login": "login",
  "POST /password": "login", "POST /verify": "verify", "GET /private": "private", "GET /private/{role}": "private",
  "POST /bind": "bind", "POST /claim": "claim", "GET /claim": "claim" } as const;

/** The key of a route. */
export type Route = keyof typeof ROUTES;

/** Larger than any limit of ours, in characters. */
const HUGE = 300_000;
const FORM = "application/x-www-form-urlencoded";

const controls = fc.string({
  unit: fc.integer({ min: 0, max: 0x40 }).map((code) => String.fromCharCode(code < 0x20 ? code : code + 0x5f)),
  maxLength: 20,
});
const bidi = fc.string({
  unit: fc.constantFrom("\u202e", "\u200b", "\u2028", "\ufeff", "\u00ad", "a", "ا", "é", "ﬃ", "ẞ", "ς", "\ud800", "𝕏",
    "👩‍👩‍👧"),
  maxLength: 30,
});
const forgeries = fc.constantFrom('\n{"level":"ERROR","message":"forged"}', "\r\nSet-Cookie: a=b",
  '"}\n{"level":"INFO"', "%0a%0dforged", "\u2028forged", "\x1b[2Jforged", "<script>alert(1)</script>",
  "${jndi:ldap://x}", "{{7*7}}", "' OR '1'='1", "../../etc/passwd", "..%2f..%2fping", "%00", "file:///etc/passwd",
  "a@example.com@evil.example");
const keys = fc.constantFrom("__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "length",
  "valueOf", "toJSON", "__defineGetter__", "pk", "sk", "$ne", "");
const numbers = fc.constantFrom("1e999", "-0", "9".repeat(400), "0x10", "NaN", "Infinity", "1".repeat(5_000), "1e-999",
  "٣", "4.9e1", "99999999999999999999");
/** A text of more than one kind, with the mark in it by which an answer or a log line would be told. */
const words = fc.oneof({ weight: 8, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) }, { weight: 2,
  arbitrary: fc.string({ unit: "binary", maxLength: 40 }) }, controls, bidi, forgeries, keys, numbers);
const text = fc.tuple(words, fc.nat(40)).map(([word, at]) => withMark(word, at));
/** The same thing over and over: what makes a careless parser slow. */
const repeated = fc.tuple(
  fc.constantFrom("a", "[", "{", '{"a":', "%", "&", "=", "a[a]", "a[]=&", "\\", '"', "%5B", "é", "\0", "a=b&", "(a",
    ".", " ", "@", "<", "variants[a]=&", "Bearer "),
  fc.oneof({ weight: 30, arbitrary: fc.integer({ min: 1, max: 3_000 }) }, fc.constant(HUGE)),
).map(([unit, times]) => unit.repeat(Math.ceil(times / unit.length)));

const json = fc.oneof(fc.json({ maxDepth: 6, noUnicodeString: false }),
  fc.tuple(keys, fc.jsonValue({ maxDepth: 2 })).map(([key, value]) =>
    `{${JSON.stringify(key)}:${JSON.stringify(value)}}`
  ), fc.integer({ min: 1, max: 9_000 }).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
  fc.integer({ min: 1, max: 2_000 }).map((depth) => `${'{"username":'.repeat(depth)}1${"}".repeat(depth)}`), text);
const emails = fc.oneof(fc.emailAddress(), fc.nat(200).map((buyer) => `${String(buyer)}${SECRET_MARK}@example.com`),
  fc.tuple(text, text).map(([name, host]) => `${name}${SECRET_MARK}@${host}.example`), text,
  fc.constant(`${"a".repeat(300)}${SECRET_MARK}@example.com`));
/** A body of JSON whose fields are right in kind, wrong in kind, doubled, or missing. */
function fields(shape: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<string> {
  const right = fc.record(shape).map((value) => JSON.stringify(value));
  const mixed = fc.record(
    Object.fromEntries(Object.keys(shape).map((key) => [key, fc.oneof(text, fc.jsonValue({ maxDepth: 2 }))])),
    { requiredKeys: [] },
  ).map((value) => JSON.stringify(value));
  const doubled = fc.tuple(right, keys, json).map(([body, key, value]) =>
    `${body.slice(0, -1)},${JSON.stringify(key)}:${value}}`
  );
  return fc.oneof({ weight: 5, arbitrary: right }, mixed, doubled, json, repeated);
}

/** Stand for the three parts of a real token of ours, which only a running stack can make. */
export const OURS = { header: "OUR-HEADER", claims: "OUR-CLAIMS", signature: "OUR-SIGNATURE" };
const { header, claims, signature } = OURS;
const none = Buffer.from('{"alg":"none","typ":"account+jwt"}').toString("base64url");
const own = `${header}.${claims}.${signature}`;
const ours = fc.constantFrom(own, `${none}.${claims}.`, `${none}.${claims}.${signature}`, `${header}.${claims}.`,
  `${header}.${claims}`, `${header}.${signature}.${claims}`, `${header}.${claims}.${signature}.x`,
  `${header}..${signature}`, `${header}.${claims}.${signature}=`, ` ${header}.${claims}.${signature}`);

const segment = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
/** What forgers of tokens try: no algorithm, a public key as a secret, somebody else's key, odd headers and claims. */
const anyToken: fc.Arbitrary<string> = fc.tuple(
  fc.oneof(
    fc.record({ alg: fc.constantFrom("none", "None", "HS256", "RS256", "EdDSA", "ES256", "", "__proto__"),
      typ: fc.constantFrom("account+jwt", "JWT", "at+jwt", ""), kid: fc.oneof(text, keys),
      jku: fc.constant("http://127.0.0.1:1/keys"), jwk: fc.constant({ kty: "oct", k: "AA" }),
      crit: fc.constantFrom(["b64"], ["exp"], []), b64: fc.boolean(), zip: fc.constant("DEF") }, {
      requiredKeys: ["alg"],
    }),
    fc.jsonValue({ maxDepth: 2 }),
    text,
  ),
  fc.oneof(
    fc.record({ iss: fc.oneof(fc.constant("gumroad-auth0-local"), text),
      aud: fc.oneof(fc.constant<unknown>("gumroad-auth0-local"), fc.constant<unknown>([]), text),
      sub: fc.oneof(text, fc.double(), keys), iat: fc.oneof(fc.double(), fc.constant(1e308), text),
      exp: fc.oneof(fc.double(), fc.constant(1e308), text), roles: fc.jsonValue({ maxDepth: 1 }) }, {
      requiredKeys: [],
    }),
    fc.jsonValue({ maxDepth: 2 }),
    text,
  ),
  fc.constantFrom("", "AA", "hmac", "A".repeat(86), "=", "."),
).map(([head, said, end]) => {
  const signed = `${segment(head)}.${segment(said)}`;
  return `${signed}.${end === "hmac" ? createHmac("sha256", "").update(signed).digest("base64url") : end}`;
});
const secretText = fc.oneof(text.map((some) => some + SECRET_MARK), anyToken, ours, repeated, fc.constant(""));
const authorization = fc.oneof(
  fc.tuple(fc.constantFrom("Bearer ", "bearer  ", "Basic ", "Digest ", "", "Bearer\t", "Bearer,"), secretText).map((
    [kind, token],
  ) => kind + token),
  fc.tuple(text, text).map(([user, password]) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`),
);

const right = { seller_id: FIXTURE_SELLER, product_id: "zGyG_1JQunZuizwqd9CP7g==",
  sale_timestamp: "2026-01-05T12:00:00Z", resource_name: "sale", price: "4900" };
const ownFields = ["resource_name", "test", "seller_id", "product_id", "sale_id", "sale_timestamp", "email", "price",
  "variants", "variants[Tier]", "recurrence", "subscription_id", "is_recurring_charge", "is_preorder_authorization",
  "is_gift_receiver_purchase", "gifter_email", "refunded", "disputed", "dispute_won", "user_email", "cancelled_at",
  "ended_at", "ended_reason", "restarted_at", "type", "effective_as_of", "old_plan[tier][name]", "new_plan[quantity]",
  "custom_fields[email]", "url_params[a]", "old_plan[a][b][c][d][e]", "retry_count", "__proto__[polluted]",
  "constructor[prototype][polluted]", "variants[__proto__]", "[]", "[", "a[0]", "a[1e9]", "a[-1]"];
const anyValue = fc.oneof(text, emails, numbers,
  fc.constantFrom("true", "false", "null", "", "sale", "refund", "dispute", "cancellation", "subscription_updated",
    "subscription_ended", "subscription_restarted", "2026-01-05T12:00:00Z", "275760-09-13T00:00:01Z", "-271821-04-20",
    "0000-00-00", "upgrade"));
const encode = (value: string) => encodeURIComponent(value.toWellFormed());
/** A ping that could pass but for some fields, encoded as forms are or a bit differently. */
const form = fc.tuple(
  fc.oneof({ weight: 2, arbitrary: fc.constant({}) },
    fc.dictionary(fc.constantFrom(...ownFields), anyValue, { maxKeys: 8 })),
  fc.constantFrom("all", "all", "none", "raw"),
  emails,
  fc.oneof({ weight: 4, arbitrary: fc.stringMatching(/^[\w=-]{1,30}$/) }, text),
).map(([odd, which, email, saleId]) => {
  const given: Record<string, string> = { ...(which === "none" ? {} : { ...right, email, sale_id: saleId }), ...odd };
  return Object.entries(given).map(([key, value]) =>
    which === "raw"
      ? `${key}=${value}`
      : `${encode(key).replaceAll("%5B", "[").replaceAll("%5D", "]")}=${encode(value)}`
  ).join("&");
});

const bytes = fc.uint8Array({ maxLength: 400 }).map((raw) => Buffer.from(raw).toString("base64"));
const headers = fc.tuple(
  fc.dictionary(
    fc.constantFrom("content-type", "content-length", "content-encoding", "x-forwarded-for", "host", "cookie",
      "expect", "transfer-encoding", "x-http-method-override", "accept", "origin", "user-agent", "__proto__",
      "constructor", "via"),
    fc.oneof(text,
      fc.constantFrom("gzip", "chunked", FORM, "application/json", `${FORM};charset=utf-16`, "100-continue", "null",
        "203.0.113.1, 127.0.0.1", ",,,")),
    { maxKeys: 4 },
  ),
  fc.option(authorization, { freq: 2 }),
).map(([some, auth]) => ({ ...some, ...(auth === null ? {} : { authorization: auth }) }));
const sourceIp = fc.oneof(fc.constantFrom("203.0.113.7", "203.0.113.8"), fc.ipV4(), fc.ipV6());

const BODIES: Readonly<Record<Route, fc.Arbitrary<string | undefined>>> = {
  "POST /ping/{token+}": fc.oneof({ weight: 6, arbitrary: form }, json, repeated, text),
  "POST /ping": fc.oneof(form, json, repeated, text),
  "POST /login": fields({ username: text, password: secretText }),
  "POST /password": fields({ username: text, password: secretText, newPassword: secretText }),
  "POST /verify": fields({ token: fc.oneof({ weight: 4, arbitrary: secretText }, fc.constant(own)) }),
  "GET /private": fc.constant(undefined),
  "GET /private/{role}": fc.constant(undefined),
  "POST /claim": fields({ licenseKey: text }),
  "GET /claim": fc.constant(undefined),
  "POST /bind": fields({ user_id: text, email: emails, email_verified: fc.constantFrom(true, true, false) }),
};

/** Routes that want a token of ours, and get one now and then. */
const TAKES_OURS: readonly Route[] = ["GET /private", "GET /private/{role}", "POST /claim", "GET /claim"];

function requestTo(route: Route): fc.Arbitrary<HostileRequest> {
  const isPing = route.startsWith("POST /ping");
  const door = fc.tuple(fc.integer({ min: 0, max: 9 }), text);
  return fc.record({ body: BODIES[route], raw: fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, bytes),
    asBase64: fc.boolean(), headers, sourceIp, door })
    .map(({ body, raw, asBase64, headers: some, sourceIp: ip, door: [lot, other] }) => {
      // Most pings have the right token and type, and most logins of Auth0's theirs: else nothing gets past the door.
      const trusted = lot < 8;
      const base64 = raw !== null || (body !== undefined && (isPing ? trusted : asBase64));
      const sent = raw ?? (base64 && body !== undefined ? Buffer.from(body).toString("base64") : body);
      const token = trusted ? LOCAL_TOKEN : other;
      return { route, base64, body: sent, sourceIp: ip,
        headers: { ...some, ...(isPing && trusted ? { "content-type": FORM } : {}),
          ...(TAKES_OURS.includes(route) && lot === 0 ? { authorization: `Bearer ${own}` } : {}),
          ...(route === "POST /bind" && trusted ? { authorization: `Bearer ${LOCAL_TOKEN}` } : {}),
          ...(route === "POST /ping" && trusted
            ? { authorization: `Basic ${Buffer.from(`gumroad:${LOCAL_TOKEN}`).toString("base64")}` }
            : {}) },
        pathParameters: route === "POST /ping/{token+}"
          ? { token }
          : route === "GET /private/{role}"
          ? { role: other }
          : undefined };
    });
}

/** Any request to any route; the self-built login, where most that passes costs a hash, is called half as often. */
export const anyRequest: fc.Arbitrary<HostileRequest> = fc.oneof(
  ...(["POST /ping/{token+}", "POST /ping", "POST /verify", "GET /private", "GET /private/{role}", "POST /bind",
    "POST /claim", "GET /claim"] as const).map((route) => ({ weight: 2, arbitrary: requestTo(route) })),
  { weight: 1, arbitrary: requestTo("POST /login") },
  { weight: 1, arbitrary: requestTo("POST /password") },
);
