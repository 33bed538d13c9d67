import { sql, type RawBuilder } from 'kysely'
import { countryOfZone, phoneNorm } from '../entities/phones.ts'
import { fold } from '../records/expression/index.ts'
import type { PrivacyKeys } from './keys.ts'

export const channels = ['mail', 'sms', 'phone', 'post', 'any'] as const
export type Channel = (typeof channels)[number]

export type AddressKind = 'email' | 'phone' | 'post'

export interface Address {
  readonly kind: AddressKind
  /** As it is compared: lower case, E.164, folded. */
  readonly value: string
}

/** Fewer figures are an extension or a house number: they are nobody's, and stand in everybody's texts. */
const shortestNumber = 7

/** What an address of a channel is; where the channel is any, what it looks like. */
export function addressOf(channel: Channel, typed: string, zone: string): Address | undefined {
  const text = typed.trim()
  if (text === '') return undefined
  if (channel === 'mail' || (channel === 'any' && text.includes('@')))
    return { kind: 'email', value: text.toLowerCase() }
  if (channel === 'post')
    return {
      kind: 'post',
      value: fold(text)
        .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
        .trim(),
    }
  const value = phoneNorm(text, countryOfZone(zone)) ?? text.replaceAll(/\D/g, '')
  return value.length < shortestNumber ? undefined : { kind: 'phone', value }
}

export function hashOf(keys: PrivacyKeys, workspace: string, { kind, value }: Address): Buffer {
  return keys.hash(workspace, kind, value)
}

/** The channels an address of a kind can be reached by. */
export const channelsOf: Readonly<Record<AddressKind, readonly Exclude<Channel, 'any'>[]>> = {
  email: ['mail'],
  phone: ['sms', 'phone'],
  post: ['post'],
}

/** Hashes as a set for `in`; as hexadecimal text, which every driver writes alike. */
export function hashSet(hashes: readonly Buffer[]): RawBuilder<unknown> {
  return sql`(select decode(h, 'hex') as hash from unnest(${hashes.map((it) => it.toString('hex'))}::text[]) h)`
}
