/** An Auth0 tenant as `private` sees it: a server with its public keys, and the access tokens it gives out. */
import type { KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { exportJWK, type JWK, SignJWT } from "jose";

import { newRsa } from "./forged-tokens.ts";

export const auth0Audience = "https://course.example.com/api";
export const rolesClaim = "https://course.example.com/roles";

interface TenantKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: JWK;
}

/** Made once a file: an RSA key takes a tenth of a second. */
const pairs = new Map<string, ReturnType<typeof newRsa>>();

async function keyNamed(kid: string): Promise<TenantKey> {
  const pair = pairs.get(kid) ?? newRsa();
  pairs.set(kid, pair);
  const { privateKey, publicKey } = pair;
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: "sig", alg: "RS256" } };
}

/** A tenant with a server of its own on a free port. */
export class Tenant {
  readonly issuer: string;
  /** How often the keys were asked for. */
  requests = 0;
  /** What the server answers: its keys, a 500, no JSON, the beginning and no more, or a broken connection. */
  health: "well" | "failing" | "talking nonsense" | "silent" | "gone" = "well";
  keys: TenantKey[];
  readonly close: () => Promise<void>;

  private constructor(issuer: string, key: TenantKey, close: () => Promise<void>) {
    this.issuer = issuer;
    this.keys = [key];
    this.close = close;
  }

  static async start(): Promise<Tenant> {
    const server = createServer((request, response) => {
      tenant.requests += 1;
      if (tenant.health === "gone") {
        request.socket.destroy();
        return;
      }
      const status = tenant.health === "failing" ? 500 : request.url === "/.well-known/jwks.json" ? 200 : 404;
      response.writeHead(status, { "content-type": "application/json" });
      if (tenant.health === "silent") {
        response.write('{"keys":[');
        return;
      }
      response.end(
        tenant.health === "talking nonsense" ? "<html>" : JSON.stringify({ keys: tenant.keys.map(({ jwk }) => jwk) }),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The tenant has no port");
    const tenant: Tenant = new Tenant(`http://127.0.0.1:${String(address.port)}/`, await keyNamed("first"),
      async () => {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      });
    return tenant;
  }

  /** Signs with a new key from now on; the old one stays among the keys, or goes. */
  async rotate(kid: string, { keepOld }: { keepOld: boolean }): Promise<void> {
    const key = await keyNamed(kid);
    this.keys = keepOld ? [key, ...this.keys] : [key];
  }

  /** An access token of the tenant, with these changes to its claims. */
  async accessToken(issuedAt: number, changes: Record<string, unknown> = {}): Promise<string> {
    const { kid, privateKey } = this.keys[0]!;
    const claims = { iss: this.issuer, aud: [auth0Audience, `${this.issuer}userinfo`], sub: "auth0|ann", iat: issuedAt,
      exp: issuedAt + 86_400, ...changes };
    return new SignJWT(claims).setProtectedHeader({ alg: "RS256", typ: "JWT", kid }).sign(privateKey);
  }
}
