import { KitElement } from './kit-element.ts'

export class BarChartView extends KitElement {}
