import type { TenantSettings } from "./tenant.ts";

/**
 * Edit this: your Auth0 tenants, by stage. `npm run tenant -- --stage prod` makes what `auth0-deploy-cli` imports, see
 * README.md beside this file. No secret belongs here.
 */
export default {
  prod: { connection: "Username-Password-Authentication",
    api: { name: "Courses API", identifier: "https://api.example.com" },
    app: { name: "Courses", url: "https://courses.example.com", callbacks: ["https://courses.example.com/callback"],
      logoutUrls: ["https://courses.example.com"], origins: ["https://courses.example.com"] },
    rolesClaim: "https://example.com/roles", bindUrl: null, otherApps: [], otherLoginActions: [],
    ownEmailProvider: false },
} satisfies Record<string, TenantSettings>;
