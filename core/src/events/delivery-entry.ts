/** Under which the ledger keeps what people decided about deliveries; no resource of that name can be read or written. */
export const deliveryEntry = 'core.delivery'
