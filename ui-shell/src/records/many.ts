/** The server takes these by one request; more are its background's work. */
export const mostAtOnce = 200
