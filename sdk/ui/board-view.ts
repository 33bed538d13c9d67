import { KitElement } from './kit-element.ts'

export class BoardView extends KitElement {}
