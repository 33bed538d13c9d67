// Wrong use of the browser's contract that must not compile; see ../contract.types.ts.
import type { SlotDefinition } from '@socle/sdk'
import { PluginElement, slot } from '../../ui/index.ts'

type ForecastSide = SlotDefinition<{ readonly team: string }>

export const right = slot<ForecastSide>('sales:forecast.side@1', { team: 'north' })

// @ts-expect-error the slot's context has no quarter
slot<ForecastSide>('sales:forecast.side@1', { quarter: 3 })

// @ts-expect-error a slot's id has a version
slot<ForecastSide>('sales:forecast.side', { team: 'north' })

export class Side extends PluginElement<ForecastSide> {
  get name(): string {
    // @ts-expect-error the slot's context has no quarter
    void this.context.quarter
    return this.context.team
  }
}
