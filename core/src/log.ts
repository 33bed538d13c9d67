/**
 * What no log holds, whoever writes it: cookies and keys of requests, the rows that a database's refusal quotes
 * ("Key (email)=(…) already exists"), and the values a statement was sent with, which the embedded one hands back.
 */
export const discreet = {
  redact: ['req.headers.cookie', 'req.headers.authorization', 'err.detail', 'err.params', 'err.parameters'],
}
