import { Editor } from '@tiptap/core'
import type { ChainedCommands } from '@tiptap/core'
import { Blockquote } from '@tiptap/extension-blockquote'
import { Bold } from '@tiptap/extension-bold'
import { Code } from '@tiptap/extension-code'
import { CodeBlock } from '@tiptap/extension-code-block'
import { Document } from '@tiptap/extension-document'
import { HardBreak } from '@tiptap/extension-hard-break'
import { Heading } from '@tiptap/extension-heading'
import { HorizontalRule } from '@tiptap/extension-horizontal-rule'
import { Italic } from '@tiptap/extension-italic'
import { Link } from '@tiptap/extension-link'
import { BulletList } from '@tiptap/extension-list/bullet-list'
import { ListItem } from '@tiptap/extension-list/item'
import { ListKeymap } from '@tiptap/extension-list/keymap'
import { OrderedList } from '@tiptap/extension-list/ordered-list'
import { Paragraph } from '@tiptap/extension-paragraph'
import { Strike } from '@tiptap/extension-strike'
import { Text } from '@tiptap/extension-text'
import { Underline } from '@tiptap/extension-underline'
import { UndoRedo } from '@tiptap/extensions/undo-redo'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import {
  Bold as BoldIcon,
  Code as CodeIcon,
  Heading2,
  Heading3,
  Italic as ItalicIcon,
  Link as LinkIcon,
  List,
  ListOrdered,
  Redo2,
  SquareCode,
  Strikethrough,
  TextQuote,
  Underline as UnderlineIcon,
  Undo2,
} from 'lucide'
import { controls } from './controls.ts'
import { registerIcons } from './icons.ts'
import { KitElement } from './kit-element.ts'
import { isSafeAddress, richStyles } from './rich-text.ts'
import { icon } from './templates.ts'
import { t } from './words.ts'

registerIcons({
  bold: BoldIcon,
  code: CodeIcon,
  'heading-2': Heading2,
  'heading-3': Heading3,
  italic: ItalicIcon,
  link: LinkIcon,
  list: List,
  'list-ordered': ListOrdered,
  'redo-2': Redo2,
  'square-code': SquareCode,
  strikethrough: Strikethrough,
  'text-quote': TextQuote,
  underline: UnderlineIcon,
  'undo-2': Undo2,
})

interface Tool {
  /** Ends the key of its name: `kit.editor.<name>`. */
  readonly name: string
  readonly icon: string
  readonly keys?: string
  /** Node or mark that is on where the caret stands. */
  readonly mark?: readonly [name: string, attributes?: Readonly<Record<string, unknown>>]
  readonly run: (chain: ChainedCommands) => ChainedCommands
}

const tools: readonly (readonly Tool[])[] = [
  [
    { name: 'bold', icon: 'bold', keys: 'B', mark: ['bold'], run: (it) => it.toggleBold() },
    { name: 'italic', icon: 'italic', keys: 'I', mark: ['italic'], run: (it) => it.toggleItalic() },
    { name: 'underline', icon: 'underline', keys: 'U', mark: ['underline'], run: (it) => it.toggleUnderline() },
    { name: 'strike', icon: 'strikethrough', keys: 'Shift+S', mark: ['strike'], run: (it) => it.toggleStrike() },
    { name: 'code', icon: 'code', keys: 'E', mark: ['code'], run: (it) => it.toggleCode() },
  ],
  [
    {
      ...{ name: 'heading', icon: 'heading-2', keys: 'Alt+2', mark: ['heading', { level: 2 }] as const },
      run: (it) => it.toggleHeading({ level: 2 }),
    },
    {
      ...{ name: 'subheading', icon: 'heading-3', keys: 'Alt+3', mark: ['heading', { level: 3 }] as const },
      run: (it) => it.toggleHeading({ level: 3 }),
    },
    { name: 'bullets', icon: 'list', keys: 'Shift+8', mark: ['bulletList'], run: (it) => it.toggleBulletList() },
    {
      ...{ name: 'numbers', icon: 'list-ordered', keys: 'Shift+7', mark: ['orderedList'] as const },
      run: (it) => it.toggleOrderedList(),
    },
    { name: 'quote', icon: 'text-quote', keys: 'Shift+B', mark: ['blockquote'], run: (it) => it.toggleBlockquote() },
    {
      ...{ name: 'codeBlock', icon: 'square-code', keys: 'Alt+C', mark: ['codeBlock'] as const },
      run: (it) => it.toggleCodeBlock(),
    },
    { name: 'rule', icon: 'minus', run: (it) => it.setHorizontalRule() },
  ],
  [
    { name: 'undo', icon: 'undo-2', keys: 'Z', run: (it) => it.undo() },
    { name: 'redo', icon: 'redo-2', keys: 'Shift+Z', run: (it) => it.redo() },
  ],
]

// Ctrl/Cmd+Enter saves, here as in every form.
const LineBreak = HardBreak.extend({
  addKeyboardShortcuts() {
    return { 'Shift-Enter': () => this.editor.commands.setHardBreak() }
  },
})

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** The body of `socle-editor`. */
export class EditorView extends KitElement {
  static override properties = {
    value: { attribute: false },
    label: { type: String },
    description: { type: String },
    required: { type: Boolean },
    invalid: { type: Boolean },
    disabled: { type: Boolean },
    linking: { state: true },
  }

  static override styles = [
    controls,
    richStyles,
    css`
      :host {
        display: block;
      }

      .frame {
        background: var(--socle-surface);
        border: 1px solid var(--socle-control);
        border-radius: var(--socle-radius);
      }

      .frame:focus-within {
        border-color: var(--socle-accent);
      }

      .frame:has(.text:focus-within) {
        outline: 2px solid var(--socle-accent);
        outline-offset: -1px;
      }

      .frame.invalid {
        border-color: var(--socle-danger);
      }

      .tools {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 10px;
        padding: 3px;
        border-block-end: 1px solid var(--socle-line);
      }

      .tools > span {
        display: flex;
        flex-wrap: wrap;
        gap: 2px;
      }

      .tools .icon-button {
        inline-size: 28px;
        min-block-size: 28px;
        padding: 0;
      }

      .tools .icon-button[aria-pressed='true'] {
        color: var(--socle-accent);
        background: var(--socle-accent-bg);
      }

      .address {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        align-items: center;
        padding: 6px;
        border-block-end: 1px solid var(--socle-line);
      }

      .address .input {
        flex: 1 1 180px;
        min-block-size: 28px;
        padding-block: 2px;
      }

      .address .error {
        flex-basis: 100%;
        margin: 0;
      }

      .text {
        max-block-size: 320px;
        overflow-y: auto;
      }

      /* The library's own sheet is left out; of it only this is needed. */
      .ProseMirror {
        min-block-size: 88px;
        padding: 8px 12px;
        outline: none;
        white-space: break-spaces;
        overflow-wrap: anywhere;
        font-variant-ligatures: none;
      }

      .ProseMirror pre {
        white-space: pre-wrap;
      }

      .ProseMirror-selectednode {
        outline: 2px solid var(--socle-accent);
      }

      @media (pointer: coarse) {
        .tools .icon-button {
          inline-size: 40px;
          min-block-size: 40px;
        }
      }
    `,
  ]

  declare value: string | null
  declare label: string
  declare description: string
  declare required: boolean
  declare invalid: boolean
  declare disabled: boolean
  /** The address being written for a link; `undefined` while none is. */
  declare private linking: { readonly address: string; readonly isWrong?: boolean } | undefined

  #editor: Editor | undefined
  /** What the editor and its owner agree on. */
  #agreed: string | null = null
  /** The tool that Tab reaches; arrows go on from it. */
  #at = 0

  constructor() {
    super()
    this.value = null
    this.label = ''
    this.description = ''
    this.required = false
    this.invalid = false
    this.disabled = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    if (this.hasUpdated) this.#make()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#editor?.destroy()
    this.#editor = undefined
  }

  override firstUpdated(): void {
    this.#make()
  }

  override updated(changed: PropertyValues<this>): void {
    const editor = this.#editor
    if (!editor) return
    if (changed.has('value') && this.value !== this.#agreed) {
      this.#agreed = this.value
      editor.commands.setContent(this.value ?? '', { emitUpdate: false })
    }
    if (changed.has('disabled')) editor.setEditable(!this.disabled, false)
    this.#name(editor)
  }

  override focus(): void {
    this.#editor?.commands.focus('end', { scrollIntoView: false })
  }

  override render() {
    return html`<div class="frame ${this.invalid ? 'invalid' : ''}" @keydown=${this.#pressed}>
      ${this.disabled ? nothing : this.#toolbar()}${this.linking ? this.#address(this.linking) : nothing}
      <div class="text"></div>
      <span class="visually-hidden" id="described">${this.description}</span>
    </div>`
  }

  #toolbar() {
    let at = 0
    const [marks = [], blocks = [], steps = []] = tools
    const group = (of: readonly Tool[], more: unknown = nothing) =>
      html`<span>${of.map((it) => this.#button(it, at++))}${more}</span>`
    return html`<div class="tools" role="toolbar" aria-label=${t('kit.editor.tools')} @keydown=${this.#toolKey}>
      ${group(marks)} ${group(blocks)}
      <span>${this.#linkButton(at++)}</span>
      ${group(steps)}
    </div>`
  }

  #button({ name, icon: drawing, keys, mark, run }: Tool, at: number) {
    const words = t(`kit.editor.${name}`)
    const editor = this.#editor
    return html`<button
      type="button"
      class="icon-button"
      tabindex=${at === this.#at ? 0 : -1}
      aria-label=${words}
      aria-pressed=${mark ? String(editor?.isActive(...mark) ?? false) : nothing}
      aria-disabled=${editor && run(editor.can().chain() as ChainedCommands).run() ? nothing : 'true'}
      title=${keys ? `${words} (${spelled(keys)})` : words}
      @mousedown=${keepFocus}
      @focus=${() => this.#stopAt(at)}
      @click=${() => this.#run(run)}
    >
      ${icon(drawing)}
    </button>`
  }

  #linkButton(at: number) {
    const words = t('kit.editor.link')
    return html`<button
      type="button"
      class="icon-button"
      tabindex=${at === this.#at ? 0 : -1}
      aria-label=${words}
      aria-pressed=${String(this.#editor?.isActive('link') ?? false)}
      aria-expanded=${String(this.linking !== undefined)}
      title=${words}
      @mousedown=${keepFocus}
      @focus=${() => this.#stopAt(at)}
      @click=${this.#startLink}
    >
      ${icon('link')}
    </button>`
  }

  #address({ address, isWrong }: { readonly address: string; readonly isWrong?: boolean }) {
    return html`<div class="address" role="group" aria-label=${t('kit.editor.link')} @keydown=${this.#addressKey}>
      <input
        class="input"
        type="text"
        inputmode="url"
        autocomplete="off"
        spellcheck="false"
        aria-label=${t('kit.editor.address')}
        aria-invalid=${isWrong ? 'true' : nothing}
        aria-describedby=${isWrong ? 'wrong' : nothing}
        placeholder="https://"
        .value=${address}
      />
      <button type="button" class="button small" @click=${this.#link}>${t('kit.editor.apply')}</button>
      ${
        this.#editor?.isActive('link')
          ? html`<button type="button" class="button small ghost" @click=${this.#unlink}>
              ${t('kit.editor.unlink')}
            </button>`
          : nothing
      }
      ${isWrong ? html`<p class="error" id="wrong" role="alert">${t('kit.editor.addressWrong', { value: address })}</p>` : nothing}
    </div>`
  }

  // ---- The editor

  #make(): void {
    const element = this.renderRoot.querySelector<HTMLElement>('.text')
    if (!element || this.#editor) return
    this.#agreed = this.value
    this.#editor = new Editor({
      element,
      injectCSS: false,
      editorProps: { attributes: { class: 'rich' } },
      editable: !this.disabled,
      content: this.value ?? '',
      extensions: [
        ...[Document, Paragraph, Text, LineBreak, Bold, Italic, Underline, Strike, Code, Blockquote],
        ...[BulletList, OrderedList, ListItem, ListKeymap, HorizontalRule, UndoRedo],
        Heading.configure({ levels: [2, 3, 4] }),
        CodeBlock.configure({ languageClassPrefix: null }),
        Link.configure({
          openOnClick: false,
          defaultProtocol: 'https',
          HTMLAttributes: { target: null, rel: null, class: null },
          isAllowedUri: (address, { defaultValidate }) => isSafeAddress(address) && defaultValidate(address),
        }),
      ],
      onUpdate: ({ editor }) => this.#tellInput(editor),
      // What is on where the caret stands shows in the tools.
      onTransaction: () => this.requestUpdate(),
    })
    this.requestUpdate()
  }

  #name(editor: Editor): void {
    const text = editor.view.dom
    const attributes = {
      role: 'textbox',
      'aria-multiline': 'true',
      'aria-label': this.label,
      'aria-describedby': this.description ? 'described' : '',
      'aria-required': String(this.required),
      'aria-invalid': this.invalid ? 'true' : '',
      'aria-disabled': this.disabled ? 'true' : '',
    }
    for (const [name, value] of Object.entries(attributes)) {
      if (value) text.setAttribute(name, value)
      else text.removeAttribute(name)
    }
  }

  #tellInput(editor: Editor): void {
    this.#agreed = editor.isEmpty ? null : editor.getHTML()
    this.value = this.#agreed
    this.tell('socle-input', { value: this.value })
  }

  #run(run: Tool['run']): void {
    const editor = this.#editor
    if (editor) run(editor.chain().focus()).run()
  }

  // ---- Links

  readonly #startLink = (): void => {
    const { href } = (this.#editor?.getAttributes('link') ?? {}) as { href?: string }
    this.linking = this.linking ? undefined : { address: href ?? '' }
    if (this.linking) void this.updateComplete.then(() => this.#addressInput?.select())
  }

  get #addressInput(): HTMLInputElement | null {
    return this.renderRoot.querySelector('.address .input')
  }

  readonly #link = (): void => {
    const written = this.#addressInput?.value.trim() ?? ''
    const href = /^[a-z][a-z\d+.-]*:/i.test(written) ? written : `https://${written}`
    if (!written) return this.#unlink()
    if (!isSafeAddress(href) || !URL.canParse(href)) {
      this.linking = { address: written, isWrong: true }
      return
    }
    this.linking = undefined
    this.#run((chain) => {
      const isOnNothing = this.#editor?.state.selection.empty && !this.#editor.isActive('link')
      return isOnNothing
        ? chain.insertContent({ type: 'text', text: written, marks: [{ type: 'link', attrs: { href } }] })
        : chain.extendMarkRange('link').setLink({ href })
    })
  }

  readonly #unlink = (): void => {
    this.linking = undefined
    this.#run((chain) => chain.extendMarkRange('link').unsetLink())
  }

  readonly #addressKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== 'Escape') return
    event.preventDefault()
    event.stopPropagation()
    if (event.key === 'Enter') return this.#link()
    this.linking = undefined
    this.#editor?.commands.focus()
  }

  // ---- Keys

  /** Alt+F10 leads to the tools, as in other editors; Esc there leads back. */
  readonly #pressed = (event: KeyboardEvent): void => {
    if (!event.altKey || event.key !== 'F10') return
    event.preventDefault()
    this.#focusTool(this.#at)
  }

  readonly #toolKey = (event: KeyboardEvent): void => {
    const last = this.#buttons.length - 1
    const to = { ArrowRight: this.#at + 1, ArrowLeft: this.#at - 1, Home: 0, End: last }[event.key]
    if (to === undefined && event.key !== 'Escape') return
    event.preventDefault()
    event.stopPropagation()
    if (to === undefined) this.#editor?.commands.focus()
    else this.#focusTool(to < 0 ? last : to > last ? 0 : to)
  }

  get #buttons(): readonly HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('.tools button')]
  }

  #focusTool(at: number): void {
    this.#buttons[at]?.focus()
  }

  #stopAt(at: number): void {
    if (this.#at === at) return
    this.#at = at
    this.requestUpdate()
  }
}

/** A tool pressed by mouse leaves the selection it works on where it is. */
function keepFocus(event: MouseEvent): void {
  event.preventDefault()
}

function spelled(keys: string): string {
  return isMac ? `⌘ ${keys.replace('Shift+', '⇧ ').replace('Alt+', '⌥ ')}` : `Ctrl+${keys}`
}
