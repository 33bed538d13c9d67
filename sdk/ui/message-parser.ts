import type { MessageFormatElement } from '@formatjs/icu-messageformat-parser'

/**
 * Reads an ICU message into the syntax tree that intl-messageformat prints.
 *
 * Right for literals, `{name}`, `{n, number}`, `plural` (with `offset`), `selectordinal`, `select`, `#` and quoting;
 * skeletons and tags are not read. The full parser weighs four times what it saves, and the browser needs no more than this.
 *
 * @throws Error naming the place when braces do not match
 */
export function parseMessage(message: string): MessageFormatElement[] {
  return new MessageParser(message).parse()
}

// The numbers of icu-messageformat-parser's TYPE, which is not imported because it would bring the parser along.
const literal = 0
const argument = 1
const formatted = { number: 2, date: 3, time: 4 } as const
const select = 5
const plural = 6
const pound = 7

class MessageParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): MessageFormatElement[] {
    const elements = this.#elements(false)
    if (this.#at < this.#text.length) throw this.#unreadable()
    return elements
  }

  #elements(inPlural: boolean): MessageFormatElement[] {
    const elements: MessageFormatElement[] = []
    let words = ''
    const flush = () => {
      if (words) elements.push({ type: literal, value: words })
      words = ''
    }
    for (;;) {
      const character = this.#text[this.#at]
      if (character === undefined || character === '}') break
      if (character === '{') {
        flush()
        elements.push(this.#argument())
      } else if (character === '#' && inPlural) {
        flush()
        this.#at++
        elements.push({ type: pound })
      } else if (character === "'") {
        words += this.#quoted(inPlural)
      } else {
        words += character
        this.#at++
      }
    }
    flush()
    return elements
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

  #argument(): MessageFormatElement {
    this.#at++
    const value = this.#until(/[,}]/)
    if (this.#take('}')) return { type: argument, value }
    this.#expect(',')
    const kind = this.#until(/[,}]/)
    if (kind === 'number' || kind === 'date' || kind === 'time') {
      const style = this.#take(',') ? this.#until(/}/) : null
      this.#expect('}')
      return { type: formatted[kind], value, style } as MessageFormatElement
    }
    this.#expect(',')
    return kind === 'select' ? this.#select(value) : this.#plural(value, kind)
  }

  #select(value: string): MessageFormatElement {
    return { type: select, value, options: this.#options(false) }
  }

  #plural(value: string, kind: string): MessageFormatElement {
    const given = /^\s*offset:(\d+)/.exec(this.#text.slice(this.#at))
    if (given) this.#at += given[0].length
    const offset = Number(given?.[1] ?? 0)
    const pluralType = kind === 'selectordinal' ? 'ordinal' : 'cardinal'
    return { type: plural, value, offset, pluralType, options: this.#options(true) }
  }

  #options(inPlural: boolean): Record<string, { value: MessageFormatElement[] }> {
    const options: Record<string, { value: MessageFormatElement[] }> = {}
    for (;;) {
      const name = this.#until(/[{}]/)
      if (this.#take('}')) return options
      this.#expect('{')
      options[name] = { value: this.#elements(inPlural) }
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
