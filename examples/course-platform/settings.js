// The three settings of a deployment. All else follows from them, unless it is set here too (see src/settings.ts).
window.COURSES = { domain: "TENANT.eu.auth0.com", clientId: "THE CLIENT ID OF THE APPLICATION",
  api: "https://THE API OF THE SERVICE" };
