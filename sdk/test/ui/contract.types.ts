// Wrong use of the browser's contract that must not compile; see ../contract.types.ts.
import type { SlotDefinition } from '@socle/sdk'
import { PluginElement, slot } from '../../ui/index.ts'

type ForecastSide = SlotDefinition<{ readonly team: string }>
type ForecastRow = SlotDefinition<{ months: { name: string }[] }>

export const right = slot<ForecastSide>('sales:forecast.side@1', { team: 'north' })

// @ts-expect-error the slot's context has no quarter
slot<ForecastSide>('sales:forecast.side@1', { quarter: 3 })

// @ts-expect-error the slot's context has a team
slot<ForecastSide>('sales:forecast.side@1', {})

// @ts-expect-error the slot's context has a team alone
slot<ForecastSide>('sales:forecast.side@1', { team: 'north', quarter: 3 })

// @ts-expect-error a team is text
slot<ForecastSide>('sales:forecast.side@1', { team: 3 })

// @ts-expect-error whoever offers a slot says which
slot('sales:forecast.side@1', { team: 'north' })

// @ts-expect-error a slot's id has a version
slot<ForecastSide>('sales:forecast.side', { team: 'north' })

export class Side extends PluginElement<ForecastSide> {
  get name(): string {
    // @ts-expect-error the slot's context has no quarter
    void this.context.quarter
    return this.context.team
  }
}

/** What is frozen at run time is read-only for the compiler too, whatever its owner says. */
export class Row extends PluginElement<ForecastRow> {
  change(): void {
    // @ts-expect-error a fill cannot add to what it was handed
    this.context.months.push({ name: 'March' })
    // @ts-expect-error nor change a part of it
    for (const month of this.context.months) month.name = ''
  }
}
