/**
 * Whether the change-password template in tenant/ words a mail as an invitation: the service made this user, who never
 * came yet.
 */
export function isInvitation(
  { gumroad_auth0: ours, gumroad_auth0_bound: bound }: Readonly<Record<string, unknown>>,
): boolean {
  return typeof ours === "object" && ours !== null && "created_for" in ours && bound === undefined;
}
