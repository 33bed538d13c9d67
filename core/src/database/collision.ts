/** A deadlock, or a conflict of transactions: the same work done again succeeds. PostgreSQL manual, appendix A, class 40. */
export function isCollision(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return code === '40001' || code === '40P01'
}
