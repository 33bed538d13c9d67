// Wrong use of the contract that must not compile: `npm run types` fails where one of these lines does.
import {
  contribution,
  defineEvent,
  definePage,
  definePages,
  definePermission,
  definePlugin,
  definePoint,
  defineRoute,
  defineService,
  defineSettings,
  defineSlot,
  html,
  provide,
  setting,
  subscriber,
  z,
  type Context,
} from '../src/index.ts'

const words = { en: 'Loans', fr: 'Prêts' }
const base = { id: 'loans', version: '1.0.0', platform: '^1.0.0', title: words } as const
const waive = definePermission('loans.loan.waive', words)
const Returned = defineEvent('loans.loan.returned', {
  version: 1,
  payload: z.object({ loan: z.uuid(), late: z.int() }),
})

interface Loans {
  giveBack(loan: string): Promise<number>
}
const Loans = defineService<Loans>('loans/loans@1')
const Reminders = definePoint<(loan: string) => Promise<string>>('loans/reminders@1')
const LoanBeside = defineSlot<{ readonly loan: string }>('loans:loan.beside@1')
const Terms = defineSettings('loans', { days: setting.integer({ title: words, initial: 3 }) })

const route = (permission: string) => ({
  method: 'post' as const,
  path: '/loans/:id/waive',
  permission,
  summary: 'Waive',
  answer: z.object({ late: z.int() }),
})

const page = { method: 'get' as const, path: '/:token' as const, summary: 'Slip' }

/** All of this is right. */
export const right = definePlugin({
  ...base,
  permissions: [waive],
  emits: [Returned],
  settings: Terms,
  provides: [provide(Loans, () => ({ giveBack: async () => 0 }))],
  routes: [
    defineRoute({ ...route(''), permission: 'loans.loan.waive', handle: async () => ({ late: 1 }) }),
    defineRoute({ ...route(''), permission: 'loans.loan.update', handle: async () => ({ late: 1 }) }),
    defineRoute({ ...route(''), permission: 'core.account.read', handle: async () => ({ late: 1 }) }),
    defineRoute({ ...route(''), permission: 'authenticated', handle: async () => ({ late: 1 }) }),
  ],
  publicPages: [
    definePages('loan-slips', {
      title: words,
      pages: [
        definePage({
          ...page,
          params: z.object({ token: z.string() }),
          handle: async ({ params }) => ({ html: html`${params.token}` }),
        }),
        definePage({ ...page, method: 'post', handle: async () => ({ redirect: '/thanks' }) }),
      ],
    }),
  ],
  subscribers: [subscriber('late', Returned, async ({ payload }) => void payload.late.toFixed())],
  points: [Reminders],
  contributes: [contribution(Reminders, async (loan) => loan, { when: { plugin: 'sales' } })],
  slots: [LoanBeside],
  ui: {
    entry: './ui',
    screens: [
      { id: 'loans.due', path: '/loans/due', title: words, tag: 'loans-due', permission: 'loans.loan.read', nav: {} },
    ],
    fills: [
      { id: 'loans.count', slot: 'core:home.widgets@1', tag: 'loans-count', permission: 'loans.loan.waive' },
      { id: 'loans.beside', slot: LoanBeside, tag: 'loans-beside' },
    ],
  },
})

definePlugin({
  ...base,
  permissions: [waive],
  // @ts-expect-error a permission nobody declared
  routes: [defineRoute({ ...route(''), permission: 'loans.loan.forgive', handle: async () => ({ late: 1 }) })],
})

definePlugin({
  ...base,
  // @ts-expect-error a permission in the namespace of another plugin
  permissions: [definePermission('sales.loan.waive', words)],
})

definePlugin({
  ...base,
  // @ts-expect-error an event in the namespace of another plugin
  emits: [defineEvent('sales.loan.returned', { version: 1, payload: z.object({}) })],
})

definePlugin({
  ...base,
  // @ts-expect-error a role in the namespace of another plugin
  roleTemplates: [{ id: 'sales.clerk', title: words, grants: [] }],
})

definePlugin({
  ...base,
  // @ts-expect-error settings of another plugin
  settings: defineSettings('sales', {}),
})

definePlugin({
  ...base,
  ui: {
    entry: './ui',
    screens: [
      // @ts-expect-error an element without the plugin's prefix
      { id: 'loans.due', path: '/loans/due', title: words, tag: 'due-list', permission: 'loans.loan.read' },
      // @ts-expect-error a screen at another plugin's address
      { id: 'loans.due', path: '/sales/due', title: words, tag: 'loans-due', permission: 'loans.loan.read' },
      // @ts-expect-error a screen that asks for a permission nobody declared
      { id: 'loans.due', path: '/loans/due', title: words, tag: 'loans-due', permission: 'loans.loan.forgive' },
      // @ts-expect-error a screen that asks for no permission
      { id: 'loans.due', path: '/loans/due', title: words, tag: 'loans-due' },
    ],
    fills: [
      // @ts-expect-error a fill without the plugin's prefix
      { id: 'loans.count', slot: 'core:home.widgets@1', tag: 'count-of-loans' },
    ],
  },
})

const { permission: _, ...open } = route('')
// @ts-expect-error a route without a permission
defineRoute({ ...open, handle: async () => ({ late: 1 }) })

// @ts-expect-error an answer of another type than the route says
defineRoute({ ...route(''), handle: async () => ({ late: 'very' }) })

// @ts-expect-error a page of a text nobody has escaped
definePage({ ...page, handle: async () => ({ html: '<p>' }) })

// @ts-expect-error a page that is asked for by another method than a link's or a form's
definePage({ ...page, method: 'delete', handle: async () => ({ html: html`` }) })

// @ts-expect-error a page that sends its visitor to another site
definePage({ ...page, handle: async () => ({ redirect: 'https://example.com' }) })

definePage({
  ...page,
  params: z.object({ token: z.string() }),
  // @ts-expect-error a parameter that no schema of the page names
  handle: async ({ params }) => ({ html: html`${params.loan}` }),
})

// @ts-expect-error a prefix of more than one word of the address
definePages('loans/slips', { title: words, pages: [] })

// @ts-expect-error a provider that lacks what its service promises
provide(Loans, () => ({}))

// @ts-expect-error a contribution of another type than its point takes
contribution(Reminders, async () => 3)

definePlugin({
  ...base,
  uses: [Loans],
})
definePlugin({
  ...base,
  // @ts-expect-error what is used is named by its token, not by a word
  uses: ['loans/loans@1'],
})
definePlugin({
  ...base,
  // @ts-expect-error a place on a screen is filled, not used
  uses: [LoanBeside],
})

// @ts-expect-error a point's id has a version
definePoint('loans/reminders')

// @ts-expect-error a slot's id has an owner and a version
defineSlot('loan.beside')

definePlugin({
  ...base,
  // @ts-expect-error an element is nobody's without the plugin's prefix
  ui: { entry: './ui', fills: [{ id: 'loans.beside', slot: LoanBeside, tag: 'beside-loans' }] },
})

// @ts-expect-error a choice that begins with something else than its kind
setting.integer({ title: words, initial: 'three' })

subscriber('late', Returned, async ({ payload }) => {
  // @ts-expect-error a field its event's payload does not have
  void payload.daysLate
})

export async function handler(ctx: Context): Promise<void> {
  ctx.emit(Returned, { loan: '', late: 1 }, { key: '' })
  // @ts-expect-error a payload that lacks a field
  ctx.emit(Returned, { loan: '' }, { key: '' })
  // @ts-expect-error a payload with a field of another type
  ctx.emit(Returned, { loan: '', late: 'very' }, { key: '' })
  // @ts-expect-error a name is no event: only what was declared can be told
  ctx.emit('loans.loan.returned', { loan: '', late: 1 }, { key: '' })
  // @ts-expect-error a service has no method of that name
  void ctx.use(Loans).takeBack('')
  const { days } = await ctx.settings(Terms)
  // @ts-expect-error a whole number is no text
  days satisfies string
}
