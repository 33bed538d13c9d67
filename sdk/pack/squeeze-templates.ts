/**
 * Takes the indentation out of the `css` and `html` templates of a source file, and the comments out of its `css`.
 *
 * A line break with the blanks around it becomes one blank, which HTML and CSS read the same. What stands in `${…}` is
 * code and stays, but for the templates in it.
 */
export function squeezeTemplates(code: string): string {
  let out = ''
  let at = 0
  const tag = /\b(css|html)`/g
  for (let found = tag.exec(code); found; found = tag.exec(code)) {
    const start = found.index + found[0].length
    out += code.slice(at, start)
    const { text, end } = template(code, start, found[1] === 'css')
    out += text
    at = end
    tag.lastIndex = end
  }
  return out + code.slice(at)
}

function template(code: string, start: number, isCss: boolean): { text: string; end: number } {
  let text = ''
  let literal = ''
  const flush = () => {
    text += isCss ? literal.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' ') : literal.replace(/\s*\n\s*/g, ' ')
    literal = ''
  }
  for (let i = start; i < code.length; i++) {
    const char = code[i] as string
    if (char === '\\') {
      literal += char + (code[++i] ?? '')
    } else if (char === '`') {
      flush()
      return { text, end: i }
    } else if (char === '$' && code[i + 1] === '{') {
      flush()
      const end = endOfExpression(code, i + 2)
      text += `\${${squeezeTemplates(code.slice(i + 2, end))}}`
      i = end
    } else {
      literal += char
    }
  }
  throw new Error('A template literal is not closed')
}

/** Index of the `}` that closes the expression; strings, templates and comments in it are stepped over. */
function endOfExpression(code: string, start: number): number {
  let depth = 0
  for (let i = start; i < code.length; i++) {
    const char = code[i] as string
    if (char === "'" || char === '"') i = endOfString(code, i)
    else if (char === '`') i = endOfTemplate(code, i + 1)
    else if (char === '/' && code[i + 1] === '/') i = code.indexOf('\n', i)
    else if (char === '/' && code[i + 1] === '*') i = code.indexOf('*/', i) + 1
    else if (char === '{') depth++
    else if (char === '}' && depth-- === 0) return i
  }
  throw new Error('An expression in a template is not closed')
}

function endOfString(code: string, start: number): number {
  for (let i = start + 1; i < code.length; i++) {
    if (code[i] === '\\') i++
    else if (code[i] === code[start]) return i
  }
  throw new Error('A string is not closed')
}

function endOfTemplate(code: string, start: number): number {
  for (let i = start; i < code.length; i++) {
    if (code[i] === '\\') i++
    else if (code[i] === '`') return i
    else if (code[i] === '$' && code[i + 1] === '{') i = endOfExpression(code, i + 2)
  }
  throw new Error('A template literal is not closed')
}
