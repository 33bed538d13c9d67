/**
 * An address as it is counted and looked up: folded here alone, for a database folds other letters than we do (`İ`), and
 * what is one account there must be one account here.
 */
export function foldedEmail(email: string): string {
  return email.trim().toLowerCase()
}
