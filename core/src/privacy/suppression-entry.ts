/** Under which the ledger keeps that an address was suppressed or lifted; no resource of that name can be read or written. */
export const suppressionEntry = 'core.suppression'
