// Loaded before auth0-deploy-cli by tenant.ts: the tool knows https only, and the emulator on this machine has none.
const { fetch } = globalThis;
const plain = (/** @type {string} */ url) => url.replace(/^https:\/\/127\.0\.0\.1/, "http://127.0.0.1");
globalThis.fetch = (input, init) =>
  input instanceof Request ? fetch(new Request(plain(input.url), input), init) : fetch(plain(String(input)), init);
