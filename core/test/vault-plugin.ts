import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { p } from '@mikro-orm/core'
import { defineEntity } from '@mikro-orm/core'
import { defineEvent } from '../src/events/event.ts'
import { definePermission, definePlugin, subscriber, type Lifecycle } from '../src/plugins/define-plugin.ts'
import { defineSettings, setting } from '../src/plugins/settings/define-settings.ts'
import { defineResource } from '../src/records/define-resource.ts'
import { recordBase } from '../src/records/record-base.ts'
import { defineExtension, extensionBase } from '../src/records/sides/define-extension.ts'
import { z } from 'zod'

const base = `id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  owner uuid, team uuid, version integer not null default 1,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  created_by uuid, updated_by uuid, deleted_at timestamptz, custom jsonb not null default '{}'`

/**
 * Tables with every kind of column and every way to point at another: at itself, at each other in a circle, at records of the
 * core that may go while they are put away.
 */
const tables = `
create table box (${base}, name text not null);
create table thing (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  position bigint generated always as identity,
  parent uuid references thing (id),
  twin uuid,
  account uuid references core.account (id) on delete set null,
  owner_account uuid references core.account (id) on delete cascade,
  words text[], facts jsonb, price numeric(19,4), at timestamptz, bytes bytea, day date, flag boolean, ratio double precision,
  span interval, shout text generated always as (upper(coalesce(words[1], ''))) stored,
  unique (workspace, position)
);
create table twin (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  thing uuid not null references thing (id)
);
alter table thing add constraint thing_twin foreign key (twin) references twin (id);
create table nameless (workspace uuid not null references core.workspace (id) on delete cascade, word text, nth integer);
create table planet (name text primary key, moons integer not null);
insert into planet values ('earth', 1), ('mars', 2);
create table ext_account (
  workspace uuid not null references core.workspace (id) on delete cascade,
  record uuid not null references core.account (id) on delete cascade,
  deleted boolean not null default false,
  shelf text,
  primary key (workspace, record)
);
select core.protect('vault.box'), core.protect('vault.thing'), core.protect('vault.twin'), core.protect('vault.nameless'),
  core.protect('vault.ext_account', 'select, insert, update, delete', 'part', 'record core.account id');
`

const BoxSchema = defineEntity({
  name: 'Box',
  schema: 'vault',
  tableName: 'box',
  properties: { ...recordBase(), name: p.string() },
})
class Box extends BoxSchema.class {}
BoxSchema.setClass(Box)

const ExtAccountSchema = defineEntity({
  name: 'ExtAccount',
  schema: 'vault',
  tableName: 'ext_account',
  properties: { ...extensionBase(), shelf: p.string().nullable() },
})
class ExtAccount extends ExtAccountSchema.class {}
ExtAccountSchema.setClass(ExtAccount)

export const BoxOpened = defineEvent('vault.box.opened', { version: 1, payload: z.object({ box: z.uuid() }) })

const words = { en: 'Vault', fr: 'Coffre' }

/** What is kept where nobody looks: for tests of taking plugins away. */
export function vaultPlugin(lifecycle: Lifecycle = {}, version = '1.0.0') {
  const folder = mkdtempSync(join(tmpdir(), 'socle-vault-'))
  writeFileSync(join(folder, '0001_vault.sql'), tables)
  return definePlugin({
    id: 'vault',
    version,
    platform: '^1.0.0',
    title: words,
    entities: [BoxSchema, ExtAccountSchema],
    resources: [
      defineResource(Box, {
        path: 'boxes',
        title: 'name',
        icon: 'box',
        list: ['name'],
        search: ['name'],
        timeline: true,
        duplicates: [{ kind: 'name', fields: ['name'], weight: 90 }],
      }),
    ],
    extends: [defineExtension('core.account', ExtAccount, { fields: {}, list: ['shelf'] })],
    permissions: [definePermission('vault.box.open', { en: 'Open boxes', fr: 'Ouvrir les boîtes' })],
    roleTemplates: [
      {
        id: 'vault.keeper',
        title: { en: 'Keeper', fr: 'Gardien' },
        grants: [
          { resource: 'vault.box', action: 'read', visibility: 'all' },
          { resource: 'vault.box', action: 'open', visibility: 'all' },
        ],
        fields: [{ resource: 'core.account', field: 'vaultShelf', access: 'read' }],
      },
    ],
    settings: defineSettings('vault', {
      limit: setting.integer({ title: words, initial: 3 }),
      token: setting.secret({ title: words }),
    }),
    emits: [BoxOpened],
    subscribers: [subscriber('accounts', 'core.account.created', async () => {})],
    jobs: [{ id: 'dust', schedule: '0 4 * * *', run: async () => {} }],
    migrations: pathToFileURL(`${folder}/`),
    lifecycle,
  })
}

/** Needs the vault. */
export const lockPlugin = definePlugin({
  id: 'lock',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Lock', fr: 'Serrure' },
  requires: { vault: '^1.0.0' },
  permissions: [definePermission('lock.key.turn', { en: 'Turn keys', fr: 'Tourner les clés' })],
})
