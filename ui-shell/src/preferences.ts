export type Theme = 'system' | 'light' | 'dark'
export type Density = 'compact' | 'normal' | 'relaxed'

const changed = new EventTarget()

/** What this browser remembers of how its user likes to see things. */
export const preferences = {
  get theme(): Theme {
    return (localStorage.getItem('socle.theme') as Theme | null) ?? 'system'
  },
  set theme(theme: Theme) {
    localStorage.setItem('socle.theme', theme)
    apply()
  },
  get density(): Density {
    return (localStorage.getItem('socle.density') as Density | null) ?? 'normal'
  },
  set density(density: Density) {
    localStorage.setItem('socle.density', density)
    apply()
  },
  get isSidebarCollapsed(): boolean {
    return localStorage.getItem('socle.sidebar') === 'collapsed'
  },
  set isSidebarCollapsed(collapsed: boolean) {
    localStorage.setItem('socle.sidebar', collapsed ? 'collapsed' : 'open')
    apply()
  },
  get hasLetterShortcuts(): boolean {
    return localStorage.getItem('socle.letters') !== 'off'
  },
  set hasLetterShortcuts(on: boolean) {
    localStorage.setItem('socle.letters', on ? 'on' : 'off')
    apply()
  },
  onChange(listener: () => void): () => void {
    changed.addEventListener('change', listener)
    return () => changed.removeEventListener('change', listener)
  },
}

function apply(): void {
  const page = document.documentElement
  const { theme, density } = preferences
  if (theme === 'system') delete page.dataset['theme']
  else page.dataset['theme'] = theme
  page.dataset['density'] = density
  changed.dispatchEvent(new Event('change'))
}

/** Remembers the language for the next page that is shown before anybody signed in. */
export function rememberLocale(locale: string): void {
  localStorage.setItem('socle.locale', locale)
  document.documentElement.lang = locale
}

// Another tab of the same browser changed its mind.
window.addEventListener('storage', (event) => {
  if (event.key?.startsWith('socle.')) apply()
})
apply()
