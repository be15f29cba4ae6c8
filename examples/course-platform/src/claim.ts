import { fieldIn, textIn } from "./answer.ts";
import { element } from "./element.ts";

/** A purchase of the account's that somebody else asks for, or uses. */
interface Request {
  readonly product: string;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * The field for a licence key. What the service says is the same for every key, so the form says what can come of it.
 * `token` gives the access token to send.
 */
export function claimForm(api: string, token: () => Promise<string>): HTMLElement {
  const key = element("input", { name: "licenseKey", autocomplete: "off", required: "", maxlength: "100" });
  const said = element("p", { role: "status" });
  const send = element("button", {}, ["Show the key"]);
  const form = element("form", { "aria-label": "A purchase under another address" }, [
    element("p", {}, ["Bought with another address? Gumroad's receipt has a licence key. Show it here:"]),
    element("label", {}, ["Licence key", key]),
    send,
    said,
  ]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send.disabled = true;
    said.textContent = "One moment …";
    void token().then((sent) => claim(api, key.value, sent), () => "That didn't work. Try again in a minute.")
      .then((words) => {
        said.textContent = words;
        send.disabled = false;
      });
  });
  return form;
}

async function claim(api: string, licenseKey: string, token: string): Promise<string> {
  const answer = await fetch(`${api}/claim`, { method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ licenseKey }) }).catch(() => null);
  if (answer?.status === 202) {
    return "Received. If the key is good and nobody uses that purchase, the course opens within a minute. If " +
      "somebody does, or its first sale isn't known here, this is a request: the seller decides, and who has it now " +
      "can see that. If you bought just now, try again in an hour.";
  }
  const body: unknown = await answer?.json().catch(() => null);
  return answer?.status === 401
    ? "Your login is over: log in again."
    : textIn(body, "error") ?? "That didn't work. Try again in a minute.";
}

/** What others ask for of what is the account's, or use of it already, in words; empty where nobody does. */
export async function requestsFor(api: string, token: string): Promise<readonly string[]> {
  const answer = await fetch(`${api}/claim`, { headers: { authorization: `Bearer ${token}` } }).catch(() => null);
  const body: unknown = answer?.ok === true ? await answer.json().catch(() => null) : null;
  const listed = (name: string): readonly Request[] => {
    const list = fieldIn(body, name);
    return (Array.isArray(list) ? list : []).flatMap((one) => requestIn(one));
  };
  const requests = listed("requests").map(({ product, at }) =>
    `Somebody showed the licence key of your ${product} on ${
      at.slice(0, 10)
    } and asks for it. It stays yours unless ` +
    "the seller decides otherwise. Was it you, with another address? Or do you know nothing of it? Answer Gumroad's " +
    "receipt: that mail reaches the seller."
  );
  const links = listed("links").map(({ product, at }) =>
    `An account of the other login here uses your ${product} since ${at.slice(0, 10)}: it showed the licence key. ` +
    "It isn't yours? Answer Gumroad's receipt: the seller can take it away."
  );
  return [...requests, ...links];
}

function requestIn(value: unknown): readonly Request[] {
  const [product, at] = [textIn(value, "product"), textIn(value, "at")];
  return product === null || at === null ? [] : [{ product, at }];
}
