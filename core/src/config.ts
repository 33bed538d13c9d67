import { z } from 'zod'

const flag = z.enum(['0', '1']).transform((value) => value === '1')

/** Every setting of a deployment, by environment variable. Unset ones take the value after "default". */
export const environmentSchema = z.object({
  /** PostgreSQL 15 or later, `postgres://user:password@host/database`; without it the embedded database is used. */
  DATABASE_URL: z.url().optional(),
  /** Connections to PostgreSQL per process, default 10. */
  DATABASE_CONNECTIONS: z.coerce.number().int().min(2).max(200).default(10),
  /** Folder of the embedded database and of files, default `./data`. */
  SOCLE_DATA: z.string().default('./data'),
  /** Port to listen on, default 3000. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** Address to listen on, default all. */
  HOST: z.string().default('0.0.0.0'),
  /** Address browsers use, `https://crm.example.com`; default `http://localhost:<PORT>`. */
  SOCLE_URL: z.url().optional(),
  /** What sessions are signed with; made and kept in the database when absent. */
  SOCLE_SECRET: z.string().min(32).optional(),
  /** Hours somebody stays signed in, default 336: two weeks. */
  SOCLE_SESSION_HOURS: z.coerce.number().int().min(1).max(8_760).default(336),
  /** First administrator, made on an empty installation. */
  SOCLE_ADMIN_EMAIL: z.email().optional(),
  SOCLE_ADMIN_PASSWORD: z.string().optional(),
  /** `1` fills an empty installation with a demonstration company; default 1 on the embedded database, 0 on a server. */
  SOCLE_DEMO: flag.optional(),
  /** Language of the first workspace, default `en`. */
  SOCLE_LOCALE: z.enum(['en', 'fr']).default('en'),
  /** Further origins whose pages may act in a session, separated by commas. */
  SOCLE_TRUSTED_ORIGINS: z.string().default(''),
  /** Proxies whose X-Forwarded-For is believed, separated by commas. */
  SOCLE_TRUSTED_PROXIES: z.string().default(''),
  /** Addresses and networks that are not public and may be fetched from all the same, separated by commas: `10.2.0.0/16`. */
  SOCLE_OUTGOING_ALLOWED: z.string().default(''),
  /** Name servers in which domains of identity providers are proved, separated by commas; the system's when empty: `10.2.0.53`. */
  SOCLE_DNS_SERVERS: z.string().default(''),
  /** What reads `/metrics` as a bearer token; without it there is no `/metrics`. */
  SOCLE_METRICS_TOKEN: z.string().min(16).optional(),
  /** Seconds that work of a module may still take when the module is switched off, default 10. */
  SOCLE_DRAIN_SECONDS: z.coerce.number().min(0).max(300).default(10),
  /** Seconds that code of modules may take for one request before it is broken off, default 30. */
  SOCLE_MODULE_SECONDS: z.coerce.number().min(1).max(3_600).default(30),
  /** A module is stopped in a workspace when so many of its last calls failed there, default 5 of 20. */
  SOCLE_QUARANTINE_FAILURES: z.coerce.number().int().min(1).max(1_000).default(5),
  SOCLE_QUARANTINE_CALLS: z.coerce.number().int().min(1).max(1_000).default(20),
  /** A module is stopped when it kept everything else from running for so many seconds of a minute, default 10. */
  SOCLE_QUARANTINE_STALL_SECONDS: z.coerce.number().min(1).max(60).default(10),
  /**
   * Versions of modules that may be replaced before a process ends itself, with exit code 75, to be started afresh by whoever
   * supervises it: memory of replaced code is given back no other way. 0 is never. Default 20 on a server's database, 0 on the
   * embedded one, which nobody may be there to start again.
   */
  SOCLE_RECYCLE_UPGRADES: z.coerce.number().int().min(0).max(10_000).optional(),
  /** `1` takes modules only as archives signed by one of `SOCLE_PLUGIN_SIGNERS`. */
  SOCLE_PLUGIN_SIGNED: flag.default(false),
  /** Trusted signers of modules, `name=public key` in base64, separated by commas. */
  SOCLE_PLUGIN_SIGNERS: z.string().default(''),
  /** `1` lets whoever reaches the platform set its time with `PUT /api/core/test/clock`: for tests, never beside real data. */
  SOCLE_TEST_CLOCK: flag.default(false),
  /** `1` starts without any plugin: none of their code is run. */
  SAFE_MODE: flag.default(false),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
})
export type Environment = z.infer<typeof environmentSchema>

/** Reads the environment and says every fault at once. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
  const result = environmentSchema.safeParse(given)
  if (result.success) return result.data
  const faults = result.error.issues.map(
    ({ path, message }) => `${path.join('.')}="${String(given[String(path[0])])}": ${message}`,
  )
  throw new Error(
    `These settings cannot be used:\n  ${faults.join('\n  ')}\nSee core/src/config.ts for what each takes.`,
  )
}

export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
}
