import type { Tenant } from "../tenant.ts";
import type { ShownMail } from "./pages.ts";

/** Every mail of the tenant as a person reads it, the newest first. */
export function inboxOf(tenant: Tenant): readonly ShownMail[] {
  const { mails, passwordMails, codeMails } = tenant;
  return [
    ...mails.map((mail): ShownMail => ({ to: mail.to, at: mail.at, subject: "Verify your email",
      text: "Somebody, probably you, signed up with this address. The link proves that it is yours.",
      link: { url: `/u/email-verification?ticket=${tenant.ticketOf(mail)}`, name: "Verify your email" } })
    ),
    ...passwordMails.map((mail): ShownMail => ({ to: mail.to, at: mail.at,
      subject: mail.welcomes ? "Your purchase is ready: choose a password" : "Choose a new password",
      text: mail.welcomes ? "Welcome! Choose a password, and log in with it." : "Somebody asked for a new password.",
      link: { url: `/lo/reset?ticket=${tenant.ticketOf(mail)}`, name: "Choose a password" } })
    ),
    ...codeMails.map(({ to, at, code }): ShownMail => ({ to, at, subject: `Your code is ${code}`,
      text: `Enter ${code} on the page where you asked for it.`, link: null })
    ),
  ].sort((a, b) => b.at - a.at);
}
