/**
 * What no log holds, whoever writes it: cookies and keys of requests, and the rows that a database's refusal quotes
 * ("Key (email)=(…) already exists").
 */
export const discreet = { redact: ['req.headers.cookie', 'req.headers.authorization', 'err.detail'] }
