let on = true

/** Whether single letters act (`j`, `x`, `e`, `m` …); people who dictate or type with switches turn them off. */
export function letterKeysOn(): boolean {
  return on
}

export function setLetterKeys(enabled: boolean): void {
  on = enabled
}

/** Whether a key press is meant for a text field, where letters are text. */
export function isTyping(event: Event): boolean {
  const target = event.composedPath()[0]
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(target.type)
}
