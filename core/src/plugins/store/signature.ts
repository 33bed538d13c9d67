import { createPublicKey, verify } from 'node:crypto'
import { z } from 'zod'
import { pluginUnsigned } from './errors.ts'

/** `signature.json` of an archive: over the bytes of its manifest, which names every other file by its hash. */
export const signatureSchema = z.strictObject({
  algorithm: z.literal('ed25519'),
  /** SubjectPublicKeyInfo, DER in base64 (RFC 8410). */
  key: z.string().max(200),
  signature: z.string().max(200),
})
export type PluginSignature = z.infer<typeof signatureSchema>

/** Whose archives this installation takes. */
export interface SignaturePolicy {
  /** Unsigned archives, and those of others, are refused. */
  readonly required: boolean
  /** Names of trusted signers by their public key. */
  readonly signers: ReadonlyMap<string, string>
}

/** The key a text was signed with; nothing when the signature is not of that text. */
export function verifiedSigner(signature: PluginSignature | undefined, text: Uint8Array): string | undefined {
  if (!signature) return undefined
  try {
    const key = createPublicKey({ key: Buffer.from(signature.key, 'base64'), format: 'der', type: 'spki' })
    if (key.asymmetricKeyType !== 'ed25519') return undefined
    return verify(null, text, key, Buffer.from(signature.signature, 'base64')) ? signature.key : undefined
  } catch {
    return undefined
  }
}

/** @throws `PLUGIN_UNSIGNED` (422) */
export function demandSigner(plugin: string, signer: string | undefined, { required, signers }: SignaturePolicy): void {
  if (required && (signer === undefined || !signers.has(signer)))
    throw pluginUnsigned({ plugin, signer: signer ?? 'nobody' })
}

/**
 * Trusted signers as an environment variable writes them: `name=key` or `key`, separated by commas.
 *
 * @returns names by key
 */
export function signersOf(list: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    list.map((entry) => {
      // A key in base64 may itself end with "=".
      const [, name, key] = /^(?:([^=]+)=)?([A-Za-z0-9+/]{20,}={0,2})$/.exec(entry) ?? []
      if (key === undefined) throw new Error(`SOCLE_PLUGIN_SIGNERS: "${entry}" is not "name=key" with a key in base64.`)
      return [key, name ?? key] as const
    }),
  )
}
