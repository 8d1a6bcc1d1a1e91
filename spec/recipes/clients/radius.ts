import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';

const [ACCEPT, REJECT] = [2, 3];
const [USER_PASSWORD, HEADER] = [2, 20];

const md5 = (...parts: readonly (string | Buffer)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('md5')).digest();

/**
 * As much of RADIUS (RFC 2865) as PostgreSQL needs to ask whether a password is right: it is how a server of Debian
 * asks another program, as those of cloud providers ask theirs.
 */
export async function radius(secret: string, isRight: (password: string) => boolean): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { port, address }) => {
    const head = Buffer.from([isRight(passwordIn(request, secret)) ? ACCEPT : REJECT, request.readUInt8(1), 0, HEADER]);
    const proof = md5(head, request.subarray(4, HEADER), secret);
    socket.send(Buffer.concat([head, proof]), port, address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return socket;
}

/** The attribute User-Password, section 5.2: each block of 16 bytes is masked by a hash of the one before. */
function passwordIn(request: Buffer, secret: string): string {
  let at = HEADER;
  while (request[at] !== USER_PASSWORD) at += request.readUInt8(at + 1);
  const masked = request.subarray(at + 2, at + request.readUInt8(at + 1));
  const blocks: Buffer[] = [];
  for (let start = 0; start < masked.length; start += 16) {
    const mask = md5(secret, start === 0 ? request.subarray(4, HEADER) : masked.subarray(start - 16, start));
    blocks.push(Buffer.from(mask.map((byte, i) => byte ^ (masked[start + i] ?? 0))));
  }
  return Buffer.concat(blocks).toString().replace(/\0+$/, '');
}
