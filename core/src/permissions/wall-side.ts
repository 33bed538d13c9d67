import type { Clock } from '../clock.ts'
import type { WallSide } from '../database/session.ts'
import type { Authority } from './authority.ts'

/** The side of the second wall on which an actor with these rights works, alone or with the platform's help. */
export function wallSide({ partners }: Authority, clock: Clock): WallSide {
  return partners ? { partners, now: clock.now() } : '*'
}
