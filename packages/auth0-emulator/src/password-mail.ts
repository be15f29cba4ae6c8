import type { Answer } from "emulator-server/refused-call";
import type { Applications } from "./applications.ts";
import { Refusal } from "./refusal.ts";
import { PasswordMailBody } from "./requests.ts";
import type { Tenant } from "./tenant.ts";

/**
 * Answers `POST /dbconnections/change_password`. It is public: no token, no scope. An unknown address is answered like
 * a known one, so that nobody learns who has an account.
 */
export function answerPasswordMail(body: unknown, applications: Applications, tenant: Tenant): Answer {
  const parsed = PasswordMailBody.safeParse(body);
  if (!parsed.success) {
    throw new Refusal(400, `${parsed.error.issues[0]?.path.join(".") ?? "The body"} is required`, "invalid_request");
  }
  const { client_id: clientId, connection } = parsed.data;
  applications.requireMayMail(clientId, connection);
  tenant.mailPasswordChange(parsed.data);
  return { status: 200, body: "We've just sent you an email to reset your password." };
}
