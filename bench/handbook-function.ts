/** The handbook's way as a function behind the API of the local stack. */
import { handbookPing } from "./handbook.ts";

const url = process.env["TENANT_URL"] ?? "";
const tenant = {
  domain: "tenant.example",
  audience: `${url}/api/v2/`,
  clientId: process.env["CLIENT_ID"] ?? "",
  clientSecret: process.env["CLIENT_SECRET"] ?? "",
  roleId: process.env["ROLE_ID"] ?? "",
  // The SDK knows https hosts only.
  fetch: (input: Parameters<typeof fetch>[0], init?: RequestInit) =>
    fetch(String(input instanceof Request ? input.url : input).replace("https://tenant.example", url), init),
};

/** The Lambda. */
export async function handler(event: { readonly body?: string; readonly isBase64Encoded?: boolean }) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded === true ? "base64" : "utf8").toString("utf8");
  try {
    await handbookPing(body, tenant);
    return { statusCode: 200, body: "{}" };
  } catch {
    return { statusCode: 500, body: "{}" };
  }
}
