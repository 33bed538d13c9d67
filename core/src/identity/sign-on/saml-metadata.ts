import { SaxesParser } from 'saxes'
import { metadataInvalid } from '../errors.ts'
import { pemOf } from './certificates.ts'

/** What a provider's metadata says that we need. */
export interface ReadMetadata {
  readonly issuer: string
  readonly entryPoint: string
  readonly certificates: readonly string[]
}

const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'

/**
 * Reads the metadata of a SAML identity provider (saml-metadata 2.4.3). It is for filling in a form that a person checks:
 * its own signature, if it has one, is not looked at.
 *
 * @throws `METADATA_INVALID`, `CERTIFICATE_INVALID` (422)
 */
export function readMetadata(xml: string): ReadMetadata {
  const parser = new SaxesParser({ xmlns: true })
  const open: string[] = []
  const certificates: string[] = []
  let [isXml, isProvider, isForSigning] = [true, false, false]
  let [issuer, entryPoint, text] = ['', '', '']
  parser.on('error', () => (isXml = false))
  parser.on('doctype', () => (isXml = false))
  parser.on('opentag', ({ local, attributes }) => {
    const value = (name: string) => Object.values(attributes).find((it) => it.local === name)?.value
    open.push(local)
    text = ''
    if (local === 'EntityDescriptor' && !isProvider) issuer = value('entityID') ?? ''
    if (local === 'IDPSSODescriptor') isProvider = true
    if (!open.includes('IDPSSODescriptor')) return
    if (local === 'KeyDescriptor') isForSigning = (value('use') ?? 'signing') === 'signing'
    if (local === 'SingleSignOnService' && value('Binding') === redirectBinding) entryPoint ||= value('Location') ?? ''
  })
  parser.on('text', (part) => (text += part))
  parser.on('closetag', ({ local }) => {
    if (local === 'X509Certificate' && open.includes('IDPSSODescriptor') && isForSigning) certificates.push(text)
    open.pop()
  })
  try {
    parser.write(xml).close()
  } catch {
    isXml = false
  }
  if (!isXml) throw metadataInvalid({ reason: 'xml' })
  if (!isProvider || issuer === '') throw metadataInvalid({ reason: 'descriptor' })
  if (entryPoint === '') throw metadataInvalid({ reason: 'entryPoint' })
  if (certificates.length === 0) throw metadataInvalid({ reason: 'certificates' })
  return { issuer, entryPoint, certificates: [...new Set(certificates.map(pemOf))] }
}
