/** Asks the shell's router to go to an address of this application; falls back to loading it. */
export function navigate(url: string, options: { replace?: boolean } = {}): void {
  const request = new CustomEvent('socle-navigate', {
    detail: { url, replace: options.replace ?? false },
    cancelable: true,
  })
  if (window.dispatchEvent(request)) window.location.assign(url)
}
