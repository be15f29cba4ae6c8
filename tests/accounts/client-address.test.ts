import { describe, expect, it } from "@jest/globals";

import { clientAddress } from "../../src/accounts/client-address.ts";

describe("clientAddress", () => {
  it.each([
    { sourceIp: "203.0.113.7", host: "203.0.113.7", network: "203.0.113.0/24" },
    { sourceIp: "::ffff:203.0.113.7", host: "203.0.113.7", network: "203.0.113.0/24" },
    { sourceIp: "::ffff:cb00:7107", host: "203.0.113.7", network: "203.0.113.0/24" },
    { sourceIp: "0:0:0:0:0:FFFF:203.0.113.7", host: "203.0.113.7", network: "203.0.113.0/24" },
    { sourceIp: "2001:db8:12:34:56:78:9a:bc", host: "2001:db8:12:34::/64", network: "2001:db8:12:34::/64" },
    { sourceIp: "2001:0DB8:0012:0034::1", host: "2001:db8:12:34::/64", network: "2001:db8:12:34::/64" },
    { sourceIp: "2001:db8::1", host: "2001:db8:0:0::/64", network: "2001:db8:0:0::/64" },
    { sourceIp: "fe80::1%eth0", host: "fe80:0:0:0::/64", network: "fe80:0:0:0::/64" },
    { sourceIp: "::1", host: "0:0:0:0::/64", network: "0:0:0:0::/64" },
    { sourceIp: "::", host: "0:0:0:0::/64", network: "0:0:0:0::/64" },
    { sourceIp: "1:2:3:4:5:6:7::", host: "1:2:3:4::/64", network: "1:2:3:4::/64" },
  ])("reads $sourceIp as $network", ({ sourceIp, host, network }) => {
    expect(clientAddress(sourceIp)).toEqual({ host, network });
  });

  it.each(["", "localhost", "203.0.113", "203.0.113.7:443", "203.0.113.07", "2001:db8", "203.0.113.7, 198.51.100.1"])(
    'refuses "%s"',
    (sourceIp) => {
      expect(() => clientAddress(sourceIp)).toThrow(TypeError);
    },
  );
});
