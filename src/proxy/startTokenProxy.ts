/** The public function `startTokenProxy`: the proxy with a server of its own, on a port or a unix socket. */
import { once } from 'node:events';
import { accessSync, constants, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { dirname, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { asyncScheduler } from 'rxjs';
import { createFileLock, type HeldLock } from '../file/lock.js';
import { codeOf } from '../internal/platform/files.js';
import { createTimers } from '../internal/time/timers.js';
import { numbersIn, requireObject, wrong } from '../internal/values/validate.js';
import type { TokenStream } from '../token/types.js';
import { createTokenProxy } from './createTokenProxy.js';
import { placeOf, type Place } from './rules/listenPlace.js';
import type { TokenProxyOptions } from './options.js';

export interface StartTokenProxyOptions extends TokenProxyOptions {
  /** `8080`, `127.0.0.1:8080`, `[::1]:8080`, or `unix:/run/orders.sock`. Port 0: a free one. Default `127.0.0.1:0`. */
  listen?: string | number | undefined;
  /** How long `close` waits for requests under way, in milliseconds. Finite, >= 0. Default 10 000. */
  grace?: number | undefined;
}

export interface RunningTokenProxy {
  /** `http://127.0.0.1:8080`, or `unix:/run/orders.sock`. */
  readonly url: string;
  /** Takes no more connections, and resolves when the requests under way have ended, or `grace` is over. */
  close(): Promise<void>;
}

/**
 * A server that serves nothing but the proxy of {@link createTokenProxy}.
 *
 * @throws TypeError that names an option out of range, or the folder in which a unix socket cannot be made. The promise
 *   rejects with Node's error if the address cannot be used.
 */
export async function startTokenProxy(
  token$: TokenStream,
  options: StartTokenProxyOptions,
): Promise<RunningTokenProxy> {
  requireObject(options);
  const { listen: at = '127.0.0.1:0', grace: given, ...own } = options;
  const { grace } = numbersIn({ grace: given }, { grace: [0, 2 ** 31 - 1, 10_000] });
  const place = placeOf(at, options.allowRemoteClients === true);
  const proxy = createTokenProxy(token$, own);
  const server = createServer({
    keepAliveTimeout: CLIENT_IDLE,
    // A body may take as long as it likes. Without this limit Node has no default for that of heads, so it is given.
    requestTimeout: 0,
    headersTimeout: 60_000,
    requireHostHeader: false,
  });
  proxy.attach(server);
  const inode = await listen(server, place).catch(async (error: unknown) => {
    await proxy.close();
    throw error;
  });
  let closed: Promise<void> | undefined;

  async function drain(): Promise<void> {
    const closing = closeServer(server, place, inode);
    const late = setTimeout(() => server.closeAllConnections(), grace);
    await proxy.close();
    clearTimeout(late);
    // Clients keep connections open for requests that they may not send any more.
    server.closeAllConnections();
    await closing;
  }

  return {
    url: 'path' in place ? `unix:${place.path}` : urlOf(server.address() as AddressInfo),
    close: () => (closed ??= drain()),
  };
}

/** A client should close an idle connection first: a POST on one that is being closed is lost. Milliseconds. */
const CLIENT_IDLE = 10 * 60_000;

const urlOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${String(port)}`;

/** A start that makes no progress for so long, such as one in a container that has ended, is over. Milliseconds. */
const STALE_AFTER = 10_000;

/** Resolves with the inode of the socket, if it has a path. */
async function listen(server: Server, place: Place): Promise<number | undefined> {
  if (!('path' in place)) {
    await listenOnce(server, place);
    return undefined;
  }
  refuseFolder(place.path);
  // One start at a time: of two that find a forsaken socket, the second would remove the new socket of the first.
  const fileLock = createFileLock(place.path, STALE_AFTER, createTimers(asyncScheduler));
  let lock: HeldLock | null;
  while (!(lock = await fileLock.tryAcquire())) await pause(20);
  try {
    if (await isForsaken(place.path)) unlinkSync(place.path);
    await listenOnce(server, place);
    return inodeAt(place.path);
  } finally {
    await lock.release().catch(() => undefined);
  }
}

/**
 * @throws TypeError if no socket, and no lock, can be made in the folder of the path: the lock's error would not say so
 */
function refuseFolder(path: string): void {
  const folder = dirname(resolve(path));
  try {
    // With the dot, a file in the place of the folder is found out.
    accessSync(`${folder}/.`, constants.W_OK | constants.X_OK);
  } catch (error) {
    const range = `a unix socket in a folder that can be written (${codeOf(error)} ${folder})`;
    throw wrong('listen', `unix:${path}`, range);
  }
}

const inodeAt = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.ino;

/**
 * Node removes whatever is at the path of a socket when it closes the server. What has taken the place of ours
 * meanwhile is put aside for that moment. The inode of a socket is not used again while the socket is open.
 */
function closeServer(server: Server, place: Place, own: number | undefined): Promise<unknown> {
  const close = () => new Promise((resolve) => server.close(resolve));
  if (!('path' in place)) return close();
  const found = inodeAt(place.path);
  if (found === undefined || found === own) return close();
  const aside = `${place.path}.${String(process.pid)}`;
  try {
    renameSync(place.path, aside);
  } catch {
    return close(); // Where it cannot be renamed, it cannot be removed either.
  }
  const closing = close();
  renameSync(aside, place.path);
  return closing;
}

async function listenOnce(server: Server, place: Place): Promise<void> {
  // Only the owner may connect. Node creates the socket's file within the call.
  const mask = 'path' in place ? process.umask(0o177) : undefined;
  server.listen(place);
  if (mask !== undefined) process.umask(mask);
  await once(server, 'listening');
}

/** Whether there is a socket at which nobody listens any more, such as after a crash. A file of another kind stays. */
async function isForsaken(path: string): Promise<boolean> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return false;
  const probe = connect(path);
  const failure = await once(probe, 'connect').catch((error: unknown) => error);
  probe.destroy();
  return codeOf(failure) === 'ECONNREFUSED';
}
