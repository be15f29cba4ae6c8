/**
 * Who is calling, as far as an address tells. Only API Gateway's `requestContext.http.sourceIp` may be
 * given: it is the peer of the connection, while X-Forwarded-For and the like are what the caller typed.
 */
import { isIPv4, isIPv6 } from "node:net";

/** A caller's address in the two grains the throttle needs. */
export interface ClientAddress {
  /** One household: the exact IPv4 address, or the IPv6 /64 (a household picks any address within). */
  readonly host: string;
  /** What one attacker cheaply has: the IPv4 /24, or the IPv6 /64. */
  readonly network: string;
}

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":");
}

/** The eight groups of an IPv6 address as numbers. Its last 32 bits may be written as IPv4. */
function ipv6Groups(address: string): number[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/u,
    (_, a: string, b: string, c: string, d: string) =>
      [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(":"));
  const [head = "", tail = ""] = plain.split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail);
  const gap = new Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...gap, ...after].map((group) => Number.parseInt(group, 16));
}

function ofIPv4(address: string): ClientAddress {
  return { host: address, network: `${address.split(".").slice(0, 3).join(".")}.0/24` };
}

/**
 * Reads the source address of a request. An IPv4 address written as IPv6 (`::ffff:203.0.113.7`) is the IPv4 address,
 * so nobody gets a second allowance by writing theirs differently.
 *
 * @throws {TypeError} if it is not an IP address, which API Gateway never sends
 */
export function clientAddress(sourceIp: string): ClientAddress {
  if (isIPv4(sourceIp)) return ofIPv4(sourceIp);
  const [address = ""] = sourceIp.split("%");
  if (!isIPv6(address)) throw new TypeError("The source address of the request is not an IP address");
  const groups = ipv6Groups(address);
  const [, , , , , marker = 0, high = 0, low = 0] = groups;
  if (groups.slice(0, 5).every((group) => group === 0) && marker === 0xffff) {
    return ofIPv4([high >> 8, high & 255, low >> 8, low & 255].join("."));
  }
  const network = `${
    groups
      .slice(0, 4)
      .map((group) => group.toString(16))
      .join(":")
  }::/64`;
  return { host: network, network };
}
