import { X509Certificate } from 'node:crypto'
import { certificateInvalid } from '../errors.ts'

/**
 * Reads a certificate as it is pasted: PEM, or the base64 alone as SAML metadata has it.
 *
 * @throws `CERTIFICATE_INVALID` (422)
 */
export function certificateOf(text: string): X509Certificate {
  const bare = text.replaceAll(/-----(?:BEGIN|END) CERTIFICATE-----|\s/g, '')
  try {
    return new X509Certificate(Buffer.from(bare, 'base64'))
  } catch {
    throw certificateInvalid({ start: text.trim().slice(0, 30) })
  }
}

/** The same certificate however it was written. @throws `CERTIFICATE_INVALID` (422) */
export function pemOf(text: string): string {
  return certificateOf(text).toString()
}
