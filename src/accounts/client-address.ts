/**
 * Who is calling, as far as an address tells. Only API Gateway's `requestContext.http.sourceIp` may be
 * given: it is the peer of the connection, while X-Forwarded-For and the like are what the caller typed.
 */
import { isIP } from "node:net";

import ipaddr from "ipaddr.js";

/** A caller's address in the two grains the throttle needs. */
export interface ClientAddress {
  /** One household: the exact IPv4 address, or the IPv6 /64 (a household picks any address within). */
  readonly host: string;
  /** What one attacker cheaply has: the IPv4 /24, or the IPv6 /64. */
  readonly network: string;
}

/**
 * Reads the source address of a request. An IPv4 address written as IPv6 (`::ffff:203.0.113.7`) is the IPv4 address:
 * nobody gets a second allowance. Throws TypeError for what is none, which API Gateway never sends.
 */
export function clientAddress(sourceIp: string): ClientAddress {
  // Node's check first: ipaddr.js also takes 203.0.113, and octal numbers.
  if (isIP(sourceIp) === 0) throw new TypeError("The source address of the request is not an IP address");
  const address = ipaddr.process(sourceIp);
  if (address instanceof ipaddr.IPv4) {
    return { host: address.toString(), network: `${address.octets.slice(0, 3).join(".")}.0/24` };
  }
  const network = `${address.parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
  return { host: network, network };
}
