/** A value of a ping before it is encoded. */
export type PayloadValue = string | number | boolean | null | readonly string[] | Payload;

/**
 * A ping's fields in wire order. A map, because setting a field again keeps its place (as in Gumroad, where a custom
 * field overrides a real one), and because a field may be called `__proto__` or `1`.
 */
export type Payload = Map<string, PayloadValue>;

/** Encodes a ping as Gumroad's HTTP client does: `card[type]=`, `k[]=`, nil as `k=`, spaces as `%20`. */
export function encodeForm(payload: Payload): string {
  const pairs: string[] = [];
  for (const [key, value] of payload) pushPairs(pairs, withoutBrackets(key), value);
  return pairs.join("&");
}

/** As JSON, which Gumroad sends to URLs of zapier.com only. */
export function encodeJson(payload: Payload): string {
  return JSON.stringify(plain(payload));
}

/** The payload as a plain value, for answers in JSON. It has no prototype. */
export function plain(payload: Payload): Record<string, unknown> {
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, value] of payload) object[key] = value instanceof Map ? plain(value) : value;
  return object;
}

function pushPairs(pairs: string[], key: string, value: PayloadValue): void {
  if (value instanceof Map) {
    // The client writes a level's plain fields first, then what is nested in it.
    const nested = [...value].filter(([, inner]) => inner instanceof Map);
    const flat = [...value].filter(([, inner]) => !(inner instanceof Map));
    for (const [inner, innerValue] of [...flat, ...nested]) {
      pushPairs(pairs, `${key}[${withoutBrackets(inner)}]`, innerValue);
    }
  } else if (isList(value)) {
    if (value.length === 0) pairs.push(`${escaped(`${key}[]`)}=`);
    for (const item of value) pairs.push(`${escaped(`${key}[]`)}=${escaped(item)}`);
  } else {
    pairs.push(`${escaped(key)}=${value === null ? "" : escaped(String(value))}`);
  }
}

function isList(value: PayloadValue): value is readonly string[] {
  return Array.isArray(value);
}

/** Gumroad escapes literal brackets in a key; with the whole key encoded afterwards they are encoded twice. */
function withoutBrackets(key: string): string {
  return key.replaceAll("[", "%5B").replaceAll("]", "%5D");
}

/** RFC 3986: all but letters, digits and `-_.~`; encodeURIComponent leaves five more. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
