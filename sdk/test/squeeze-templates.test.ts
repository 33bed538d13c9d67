import { expect, test } from 'vitest'
import { squeezeTemplates } from '../pack/squeeze-templates.ts'

test('css loses its comments and line breaks', () => {
  const source = 'css`\n  /* why */\n  :host {\n    color: red;\n  }\n`'
  expect(squeezeTemplates(source)).toBe('css` :host { color: red; } `')
})

test('html keeps blanks within a line, because words need them', () => {
  expect(squeezeTemplates('html`<b>a</b>  <i>b</i>`')).toBe('html`<b>a</b>  <i>b</i>`')
})

test('code in a template stays as it is, templates in it are squeezed too', () => {
  const source = "html`\n  ${it ? html`\n  <p>${'}`'}</p>\n` : nothing}\n`"
  expect(squeezeTemplates(source)).toBe("html` ${it ? html` <p>${'}`'}</p> ` : nothing} `")
})

test('other templates stay untouched', () => {
  const source = 'const a = `\n  ${b}\n`'
  expect(squeezeTemplates(source)).toBe(source)
})
