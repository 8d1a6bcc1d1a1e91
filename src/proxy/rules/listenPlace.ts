/** Reads where the proxy listens, and refuses addresses that other machines can reach. */
import { isLoopback } from '../../internal/values/loopback.js';
import { wrong } from '../../internal/values/validate.js';

/** Where a server listens, as Node takes it. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

const FORMS = 'a port, "host:port" or "unix:/path"';

/** The longest path of a unix socket: 107 bytes on Linux, 103 elsewhere. Node cuts off the rest in silence. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103;

/** Reads the option `listen`. @throws TypeError if it is none of its forms, or another machine could connect */
export function placeOf(listen: unknown, allowsRemote: boolean): Place {
  const text = typeof listen === 'number' ? String(listen) : listen;
  if (typeof text !== 'string') throw wrong('listen', listen, FORMS);
  const path = /^unix:(.+)$/s.exec(text)?.[1];
  if (path !== undefined) {
    if (Buffer.byteLength(path) <= LONGEST_PATH) return { path };
    throw wrong('listen', listen, `the path of a unix socket, at most ${String(LONGEST_PATH)} bytes`);
  }
  const [, given = '127.0.0.1', port] = /^(?:([\w.-]+|\[[\da-f:.]+\]):)?(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) throw wrong('listen', listen, FORMS);
  if (!allowsRemote && !isLoopback({ hostname: given }))
    throw wrong('listen', listen, 'an address of loopback or a unix socket (elsewhere: allowRemoteClients)');
  return { host: given.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
