import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isPublicAddress, Outgoing } from '../src/http/outgoing.ts'

let server: Server
let here: string
const asked: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.url === '/elsewhere') return response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
    if (request.url === '/long') return response.end('x'.repeat(2_000))
    if (request.url === '/never') return response.write('x')
    return response.end(request.headers['x-told'] ?? 'heard')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await new Promise<void>((closed) => {
    server.close(() => closed())
    server.closeAllConnections()
  })
})

test('what no stranger may mean is told from what is public', () => {
  const within =
    '0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 ' +
    ':: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 fc00::1 fd12::1 fe80::1 ff02::1 2001:db8::1 2002:7f00:1::1 2001::1'
  for (const address of within.split(' ')) expect(isPublicAddress(address), address).toBe(false)
  for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4007::1'])
    expect(isPublicAddress(address), address).toBe(true)
})

test('a private address is refused however it is written, before anything is sent', async () => {
  const { port } = new URL(here)
  const strict = new Outgoing()
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    'localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '127.1',
  ])
    await expect(strict.fetch(`http://${host}:${port}/`), host).rejects.toMatchObject({ code: 'OUTGOING_REFUSED' })
  expect(asked).toEqual([])
})

test('what is no address of the web is refused, and plain http reaches what the operator allows alone', async () => {
  const strict = new Outgoing()
  for (const url of [
    'file:///etc/passwd',
    'ftp://example.com',
    'no address',
    'https://user:secret@example.com',
    'http://1.1.1.1/',
  ])
    await expect(strict.fetch(url), url).rejects.toMatchObject({ code: 'OUTGOING_URL_INVALID' })
  const answer = await new Outgoing({ allowed: ['127.0.0.0/8'] }).fetch(`${here}/told`, {
    headers: { 'x-told': 'this' },
  })
  expect(await answer.text()).toBe('this')
})

test('a redirect is answered and not followed', async () => {
  const answer = await new Outgoing({ allowed: ['127.0.0.1'] }).fetch(`${here}/elsewhere`)
  expect(answer.status).toBe(302)
  expect(answer.headers.get('location')).toBe('http://169.254.169.254/')
})

test('an answer that is too long, too late or cut off is given up with the reason', async () => {
  const outgoing = new Outgoing({ allowed: ['127.0.0.1'] })
  await expect(outgoing.fetch(`${here}/long`, { mostBytes: 1_000 })).rejects.toMatchObject({
    code: 'OUTGOING_TOO_LARGE',
  })
  await expect(outgoing.fetch(`${here}/never`, { patience: 100 })).rejects.toMatchObject({ code: 'OUTGOING_FAILED' })
  await expect(outgoing.fetch('http://127.0.0.1:1/')).rejects.toMatchObject({ values: { reason: 'refused' } })
  await expect(outgoing.fetch('https://no-such-host.invalid/')).rejects.toMatchObject({ values: { reason: 'name' } })
})
