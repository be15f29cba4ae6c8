/** How long the two halves of an address may be, from Auth0's guide to creating users. */
const LONGEST_LOCAL_PART = 64;
const LONGEST_EMAIL_DOMAIN = 256;

/** Whether Auth0 takes this as an email address. */
function isEmail(text: string): boolean {
  if (!/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/u.test(text)) return false;
  const at = text.indexOf("@");
  return at <= LONGEST_LOCAL_PART && text.length - at - 1 <= LONGEST_EMAIL_DOMAIN;
}

/** Whether this is a user id: the provider, a bar, and the provider's own id. */
export function isUserId(text: string): boolean {
  return /^[^|\s]+\|\S+$/u.test(text);
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/u.test(new URL(text).protocol);
}

function isDateTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/u.test(text) &&
    !Number.isNaN(Date.parse(text));
}

/**
 * The formats that Auth0's description names. It defines none of them; these are as strict as its own examples allow.
 */
export const formats: Readonly<Record<string, (text: string) => boolean>> = {
  "client-id": (text) => /^[\w-]{1,64}$/u.test(text),
  "date-time": isDateTime,
  email: isEmail,
  "organization-id": (text) => /^org_[A-Za-z0-9]{16}$/u.test(text),
  "strict-uri": isWebAddress,
  url: isWebAddress,
  "user-id": isUserId,
};
