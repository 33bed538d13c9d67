/** Activities that still wait for somebody, as a condition of the expression language. */
export const openActivities = 'status in ("planned", "in_progress")'
