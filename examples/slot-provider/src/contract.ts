import { definePoint, defineSlot, type Context } from '@socle/sdk'

/** Says what a plugin knows of a contact that whoever is about to meet them should know, in the reader's language; nothing is fine. */
export type Remark = (contact: string, ctx: Context) => Promise<string | undefined>
export const Remarks = definePoint<Remark>('briefing/remarks@1')

/** Beside what is said of one contact, wherever a briefing stands. */
export const ContactBeside = defineSlot<{ readonly contact: string; readonly name: string }>(
  'briefing:contact.beside@1',
)
