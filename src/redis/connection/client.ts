/** The clients `redis` and `ioredis` behind common functions: run a script, look at the connection, listen. */
import { Observable } from 'rxjs';
import { fieldsOf } from '../../internal/values/fieldsOf.js';

/** What is used of a client of `redis` 5 or later: a client, cluster, sentinel or pool. */
export interface NodeRedisClient {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** What is used of a client of `ioredis` 5 or later: Redis (with sentinels too) or Cluster. */
export interface IoredisClient {
  evalsha(sha: string, numkeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, numkeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** A client of either package. You connect it, listen to its errors and close it. */
export type RedisClient = NodeRedisClient | IoredisClient;

/** What both kinds have besides, where they have it. */
export interface ClientState {
  readonly isOpen?: boolean;
  readonly isReady?: boolean;
  readonly status?: string;
  /** A cluster of `redis` has it. */
  readonly nodeClient?: unknown;
  duplicate?(...overrides: unknown[]): unknown;
  on?(event: string, listener: (...args: unknown[]) => void): unknown;
  off?(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** @throws TypeError, which does not show the value: it may be a URL with a password */
export function requireClient(client: unknown): RedisClient {
  const given = fieldsOf(client);
  const isOf = 'a client of redis or ioredis';
  const fail = (what: string) => new TypeError(`option "client" must be ${what}`);
  if (given.isPipeline === true || given.execAsPipeline !== undefined)
    throw fail('the client itself, not a transaction or pipeline of it');
  // Its `eval` takes arrays, it parses what it answers, and it sends each command as a request of HTTP.
  if (typeof given.createScript === 'function') throw fail(`${isOf}, not one of @upstash/redis`);
  const isLegacy = given.internal_send_command !== undefined || fieldsOf(given.options).legacyMode === true;
  if (isLegacy || (given.constructor as { name?: unknown } | undefined)?.name === 'RedisLegacyClient')
    throw fail(`${isOf}, version 5 or later, whose commands return promises, not a legacy one`);
  if (typeof given.eval !== 'function' || typeof (given.evalSha ?? given.evalsha) !== 'function')
    throw fail(`${isOf}, version 5 or later`);
  return client as RedisClient;
}

export const isIoredis = (client: RedisClient): client is IoredisClient =>
  typeof (client as Partial<IoredisClient>).evalsha === 'function';

/** Runs a script with one key. */
type RunScript = (script: string, key: string, args: readonly (string | number)[]) => Promise<unknown>;

/**
 * Sends a script as its text until its hash has been computed, since a call must not wait for that; then as its hash.
 * Sends the text again if Redis has dropped the script, and always if the server has no EVALSHA.
 */
export function scriptRunner(client: RedisClient): RunScript {
  const shas = new Map<string, string>();
  let hasEvalSha = true;
  return async (script, key, args) => {
    const sha = shas.get(script);
    const inFull = () => evaluate(client, 'eval', script, key, args.map(String));
    if (!hasEvalSha) return inFull();
    if (sha === undefined) {
      // Without a hash each command is sent in full.
      sha1(script).then(
        (computed) => shas.set(script, computed),
        () => undefined,
      );
      return inFull();
    }
    try {
      return await evaluate(client, 'evalsha', sha, key, args.map(String));
    } catch (error) {
      const message = String((error as Error | undefined)?.message);
      hasEvalSha &&= !/^ERR (?:unknown|unsupported) command/i.test(message);
      if (hasEvalSha && !message.startsWith('NOSCRIPT')) throw error;
      return inFull();
    }
  };
}

const evaluate = (client: RedisClient, command: 'eval' | 'evalsha', text: string, key: string, args: string[]) =>
  isIoredis(client)
    ? client[command](text, 1, key, ...args)
    : client[command === 'eval' ? 'eval' : 'evalSha'](text, { keys: [key], arguments: args });

/** The application has closed it, or has not connected it yet. */
export function isClosed(client: RedisClient): boolean {
  const { isOpen, status } = client as ClientState;
  return isIoredis(client) ? status === 'end' : isOpen === false;
}

/** Known to have no connection, so that a command would only lie in the client's queue. */
export function isDown(client: RedisClient): boolean {
  const { isOpen, isReady, status } = client as ClientState;
  if (isClosed(client)) return true;
  return isIoredis(client) ? status === 'reconnecting' || status === 'close' : isOpen === true && isReady === false;
}

/** Redis names scripts by it; nothing here rests on its strength. */
async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Hand-made: not every client has the methods that `fromEvent` asks for.
export const eventOf = (client: RedisClient | ClientState, name: string): Observable<readonly unknown[]> =>
  new Observable((subscriber) => {
    const emitter = client as ClientState;
    const listener = (...args: unknown[]) => subscriber.next(args);
    emitter.on?.(name, listener);
    return () => emitter.off?.(name, listener);
  });
