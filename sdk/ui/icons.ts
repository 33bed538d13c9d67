import {
  ArrowDown,
  ArrowDownUp,
  ArrowLeft,
  ArrowUp,
  Bell,
  Building2,
  Calendar,
  Check,
  ChevronDown,
  ChevronLeft,
  ChevronRight,
  Circle,
  CircleAlert,
  CircleCheck,
  CircleX,
  Clock,
  Columns3,
  Download,
  Ellipsis,
  FileText,
  Filter,
  Handshake,
  House,
  Inbox,
  ListFilter,
  LoaderCircle,
  Megaphone,
  Menu,
  Package,
  Pencil,
  Plug,
  Plus,
  Receipt,
  RefreshCw,
  Search,
  Settings,
  SquareKanban,
  Star,
  Table,
  Target,
  Ticket,
  TriangleAlert,
  Undo2,
  Upload,
  User,
  Users,
  WifiOff,
  X,
} from 'lucide'

/** A drawing on a 24 grid, as Lucide gives it: tags with their attributes. */
export type IconNode = readonly (readonly [
  tag: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
])[]

const drawings = new Map<string, string>()
const listeners = new Set<() => void>()

/** Adds drawings under names; a plugin brings those the kit does not have. */
export function registerIcons(icons: Readonly<Record<string, IconNode>>): void {
  for (const [name, node] of Object.entries(icons)) drawings.set(name, drawn(node))
  for (const listener of [...listeners]) listener()
}

/** Calls back when drawings came; answers the function that stops it. */
export function onIconsChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The inner SVG of an icon; of an unknown one nothing, in the same room, so that nothing jumps when it comes. */
export function drawing(name: string): string {
  return drawings.get(name) ?? ''
}

export function hasIcon(name: string): boolean {
  return drawings.has(name)
}

function drawn(node: IconNode): string {
  return node
    .map(([tag, attributes]) => {
      const written = Object.entries(attributes).map(
        ([name, value]) => ` ${name}="${String(value).replace(/["<&]/g, '')}"`,
      )
      return `<${tag.replace(/[^a-z]/gi, '')}${written.join('')}/>`
    })
    .join('')
}

// What the first list shows; the others follow in more-icons.ts.
registerIcons({
  'arrow-down': ArrowDown,
  'arrow-left': ArrowLeft,
  'arrow-up': ArrowUp,
  bell: Bell,
  'building-2': Building2,
  calendar: Calendar,
  check: Check,
  'chevron-down': ChevronDown,
  'chevron-left': ChevronLeft,
  'chevron-right': ChevronRight,
  circle: Circle,
  'circle-alert': CircleAlert,
  'circle-check': CircleCheck,
  'circle-x': CircleX,
  clock: Clock,
  columns: Columns3,
  download: Download,
  ellipsis: Ellipsis,
  'file-text': FileText,
  filter: Filter,
  handshake: Handshake,
  house: House,
  inbox: Inbox,
  kanban: SquareKanban,
  'list-filter': ListFilter,
  loader: LoaderCircle,
  megaphone: Megaphone,
  menu: Menu,
  package: Package,
  pencil: Pencil,
  plug: Plug,
  plus: Plus,
  receipt: Receipt,
  'refresh-cw': RefreshCw,
  search: Search,
  settings: Settings,
  sort: ArrowDownUp,
  star: Star,
  table: Table,
  target: Target,
  ticket: Ticket,
  'triangle-alert': TriangleAlert,
  undo: Undo2,
  upload: Upload,
  user: User,
  users: Users,
  'wifi-off': WifiOff,
  x: X,
})
