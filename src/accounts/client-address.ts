import { isIP } from "node:net";

import ipaddr from "ipaddr.js";

/**
 * Reads API Gateway's `requestContext.http.sourceIp`: the peer of the connection, while X-Forwarded-For is what the
 * caller typed. `host` is one household: the exact IPv4 address (also where it is written as IPv6), or the IPv6 /64.
 * `network` is what one attacker cheaply has: the IPv4 /24, or the IPv6 /64. Throws TypeError for what is none.
 */
export function clientAddress(sourceIp: string): { readonly host: string; readonly network: string } {
  // Node's check first: ipaddr.js also takes 203.0.113, and octal numbers.
  if (isIP(sourceIp) === 0) throw new TypeError("The source address of the request is not an IP address");
  const address = ipaddr.process(sourceIp);
  if (address instanceof ipaddr.IPv4) {
    return { host: address.toString(), network: `${address.octets.slice(0, 3).join(".")}.0/24` };
  }
  const network = `${address.parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
  return { host: network, network };
}
