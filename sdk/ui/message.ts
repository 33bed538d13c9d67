import type { MessageValues } from './words.ts'

/** A piece of an ICU message. */
export type MessagePart =
  | string
  | { readonly kind: 'count' }
  | { readonly kind: 'argument' | 'number' | 'date' | 'time'; readonly name: string }
  | { readonly kind: 'select'; readonly name: string; readonly options: MessageOptions }
  | {
      readonly kind: 'plural' | 'selectordinal'
      readonly name: string
      readonly offset: number
      readonly options: MessageOptions
    }

type MessageOptions = Readonly<Record<string, readonly MessagePart[]>>

/**
 * Reads an ICU message: literals, `{name}`, `{n, number}`, `{d, date}`, `{d, time}`, `plural` (with `offset` and `=0`),
 * `selectordinal`, `select`, `#` and quoting. Skeletons and tags are not read.
 *
 * By hand, because intl-messageformat with its parser is a sixth of what the first list may weigh, this a sixtieth.
 *
 * @throws Error naming the place when braces do not match
 */
export function parseMessage(message: string): MessagePart[] {
  return new MessageParser(message).parse()
}

/** A read message with its values, in a language. */
export function printMessage(
  parts: readonly MessagePart[],
  values: MessageValues,
  language: string,
  count = 0,
): string {
  return parts.map((part) => (typeof part === 'string' ? part : printPart(part, values, language, count))).join('')
}

function printPart(part: Exclude<MessagePart, string>, values: MessageValues, language: string, count: number): string {
  if (part.kind === 'count') return numberText(count, language)
  const value = values[part.name]
  switch (part.kind) {
    case 'argument':
      return String(value ?? '')
    case 'number':
      return numberText(Number(value), language)
    case 'date':
      return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(value as string))
    case 'time':
      return new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(new Date(value as string))
    case 'select':
      return printMessage(part.options[String(value)] ?? part.options['other'] ?? [], values, language, count)
    default: {
      const number = Number(value) - part.offset
      const type = part.kind === 'plural' ? 'cardinal' : 'ordinal'
      const category = new Intl.PluralRules(language, { type }).select(number)
      const chosen = part.options[`=${String(value)}`] ?? part.options[category] ?? part.options['other'] ?? []
      return printMessage(chosen, values, language, number)
    }
  }
}

// French groups by a thin space that Inter makes a hair; see format.ts.
function numberText(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value).replaceAll('\u202f', '\u00a0')
}

class MessageParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): MessagePart[] {
    const parts = this.#parts(false)
    if (this.#at < this.#text.length) throw this.#unreadable()
    return parts
  }

  #parts(inPlural: boolean): MessagePart[] {
    const parts: MessagePart[] = []
    let words = ''
    const flush = () => {
      if (words) parts.push(words)
      words = ''
    }
    for (;;) {
      const character = this.#text[this.#at]
      if (character === undefined || character === '}') break
      if (character === '{') {
        flush()
        parts.push(this.#argument())
      } else if (character === '#' && inPlural) {
        flush()
        this.#at++
        parts.push({ kind: 'count' })
      } else if (character === "'") {
        words += this.#quoted(inPlural)
      } else {
        words += character
        this.#at++
      }
    }
    flush()
    return parts
  }

  /** An apostrophe quotes only before `{`, `}` or a plural's `#`; else it is itself, as in “l'étape”. */
  #quoted(inPlural: boolean): string {
    const next = this.#text[this.#at + 1]
    this.#at++
    if (next === "'") {
      this.#at++
      return "'"
    }
    if (next !== '{' && next !== '}' && !(next === '#' && inPlural)) return "'"
    const end = this.#text.indexOf("'", this.#at)
    const stop = end < 0 ? this.#text.length : end
    const words = this.#text.slice(this.#at, stop)
    this.#at = stop + 1
    return words
  }

  #argument(): MessagePart {
    this.#at++
    const name = this.#until(/[,}]/)
    if (this.#take('}')) return { kind: 'argument', name }
    this.#expect(',')
    const kind = this.#until(/[,}]/)
    if (kind === 'number' || kind === 'date' || kind === 'time') {
      this.#expect('}')
      return { kind, name }
    }
    this.#expect(',')
    if (kind === 'select') return { kind, name, options: this.#options(false) }
    if (kind !== 'plural' && kind !== 'selectordinal') throw this.#unreadable()
    const given = /^\s*offset:(\d+)/.exec(this.#text.slice(this.#at))
    if (given) this.#at += given[0].length
    return { kind, name, offset: Number(given?.[1] ?? 0), options: this.#options(true) }
  }

  #options(inPlural: boolean): MessageOptions {
    const options: Record<string, readonly MessagePart[]> = {}
    for (;;) {
      const name = this.#until(/[{}]/)
      if (this.#take('}')) return options
      this.#expect('{')
      options[name] = this.#parts(inPlural)
      this.#expect('}')
    }
  }

  #until(stop: RegExp): string {
    const length = this.#text.slice(this.#at).search(stop)
    if (length < 0) throw this.#unreadable()
    const words = this.#text.slice(this.#at, this.#at + length).trim()
    this.#at += length
    return words
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#unreadable()
  }

  #unreadable(): Error {
    return new Error(`The message "${this.#text}" cannot be read at character ${this.#at + 1}: braces do not match.`)
  }
}
