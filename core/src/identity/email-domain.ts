import { sql } from 'kysely'

/** The domain of an e-mail address, in lower case: what follows the last @. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase()
}

/** SQL of the same for a column, `m.email`. */
export function domainSql(column: string) {
  return sql<string>`lower(substring(${sql.ref(column)} from '[^@]*$'))`
}
