import { createSocket } from 'node:dgram'

/** A name server on a port of this machine that knows texts alone (RFC 1035), as a company's own would. */
export async function startNameServer(port: number) {
  const texts = new Map<string, string>()
  const socket = createSocket('udp4')
  socket.on('message', (query, { port: asker, address }) => socket.send(answerTo(query, texts), asker, address))
  await new Promise<void>((bound) => socket.bind(port, '127.0.0.1', bound))
  return {
    texts,
    close: () => new Promise<void>((closed) => socket.close(() => closed())),
  }
}

function answerTo(query: Buffer, texts: ReadonlyMap<string, string>): Buffer {
  const labels: string[] = []
  let at = 12
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const question = query.subarray(12, at + 5)
  const text = texts.get(labels.join('.').toLowerCase())
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  // An answer of whom it concerns; name error (3) where there is none.
  header.writeUInt16BE(text === undefined ? 0x8583 : 0x8580, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(text === undefined ? 0 : 1, 6)
  if (text === undefined) return Buffer.concat([header, question])
  const data = Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
  // The question's own name (0xc00c), TXT (16), class IN, for a minute.
  const record = Buffer.alloc(12)
  record.writeUInt16BE(0xc00c, 0)
  record.writeUInt16BE(16, 2)
  record.writeUInt16BE(1, 4)
  record.writeUInt32BE(60, 6)
  record.writeUInt16BE(data.length, 10)
  return Buffer.concat([header, question, record, data])
}
