/** The format of the token file, and whether the token in it may be handed out. */
import { randomUUID } from 'node:crypto';
import { uptime as uptimeInSeconds } from 'node:os';
import { InvalidTokenResponseError } from '../errors.js';
import { parseJson } from '../answers/parseBody.js';
import { hasLifeLeft, isTokenResponse, storedLifetime } from '../stores/storedResponse.js';
import type { StoredToken } from '../token/tokenStore.js';
import type { TokenResponse, TokenStreamOptions } from '../token/types.js';
import { bootId } from './owner.js';

/** What lies in the file. */
export interface TokenRecord {
  /** The same from one sign-out to the next. */
  readonly session: string;
  /** Of this token. */
  readonly id: string;
  /** When it was asked for, by the wall clock. Milliseconds. */
  readonly asked: number;
  /** The uptime of the machine when it was asked for. Milliseconds. */
  readonly uptime: number;
  /** The boot of the machine to which that uptime belongs. */
  readonly boot: string;
  /** The id of what the file held when it was fetched; '' if it held nothing. */
  readonly replaces?: string;
  /** Whether a server refused the token. Its refresh token may be good. */
  readonly rejected: boolean;
  /** Null after a sign-out. */
  readonly response: TokenResponse | null;
}

/**
 * Three clocks, none of which is enough: the wall clock can be set, and the others begin with each start of the
 * machine.
 */
interface MachineClocks {
  readonly wall: () => number;
  /** Milliseconds. Some systems say whole seconds only. */
  readonly uptime: () => number;
  readonly boot: () => string;
}

const MACHINE: MachineClocks = { wall: () => Date.now(), uptime: () => uptimeInSeconds() * 1000, boot: bootId };

/** What this store writes is a few kB: a larger file is not read. */
export const MAX_BYTES = 1_000_000;

/** A tag and the version of the form. */
const MARK = 'rx-fresh-token';
const VERSION = 1;

/**
 * @param age ms since the token was asked for
 * @param base what the file held when it was asked for
 * @throws InvalidTokenResponseError when the file cannot hold it
 */
export function tokenRecord(
  response: TokenResponse,
  age: number,
  base: TokenRecord | null,
  { wall, uptime, boot }: MachineClocks = MACHINE,
): TokenRecord {
  const record = {
    session: base?.session ?? randomUUID(),
    id: randomUUID(),
    replaces: base?.id ?? '',
    asked: wall() - age,
    uptime: uptime() - age,
    boot: boot(),
    rejected: false,
    response,
  };
  if (Buffer.byteLength(serialized(record)) > MAX_BYTES)
    throw new InvalidTokenResponseError('the token response cannot be stored: it is larger than 1 MB');
  return record;
}

export const signedOutRecord = (session: string): TokenRecord => ({
  session,
  id: randomUUID(),
  asked: 0,
  uptime: 0,
  boot: '',
  rejected: false,
  response: null,
});

export const serialized = (record: TokenRecord): string => `${JSON.stringify({ [MARK]: VERSION, ...record })}\n`;

/** @returns undefined for what this version has not written */
export function parseRecord(text: string): TokenRecord | undefined {
  const { [MARK]: version, ...record } = (parseJson(text) ?? {}) as { [MARK]?: unknown } & Partial<
    Record<keyof TokenRecord, unknown>
  >;
  const { session, id, asked, uptime, boot, rejected, response } = record;
  const isRecord =
    version === VERSION &&
    [session, id, boot].every((each) => typeof each === 'string') &&
    [asked, uptime].every(Number.isFinite) &&
    typeof rejected === 'boolean' &&
    (response === null || isTokenResponse(response));
  return isRecord ? (record as TokenRecord) : undefined;
}

/**
 * How old the token is in ms, never too little. Infinity when it is unknown: the clock was set back since an earlier
 * start of the machine.
 */
export function ageOf(record: TokenRecord, { wall, uptime, boot }: MachineClocks = MACHINE): number {
  const byWall = wall() - record.asked;
  if (record.boot !== boot()) return byWall < 0 ? Infinity : byWall;
  const byUptime = uptime() - record.uptime;
  // The uptime may be in whole seconds, up to one off: the wall clock counts, unless it is behind by more.
  return byWall < byUptime - 1000 ? byUptime + 1000 : Math.max(0, byWall);
}

/** The token, if it can be handed out to a stream that has `unwanted`. */
export function tokenToHandOut(
  record: TokenRecord | null,
  unwanted: string | undefined,
  lifetime?: TokenStreamOptions['lifetime'],
  clocks: MachineClocks = MACHINE,
): StoredToken | null {
  if (!record?.response || record.rejected || record.response.access_token === unwanted) return null;
  const age = ageOf(record, clocks);
  const life = storedLifetime(record.response, clocks.wall() - age, lifetime);
  return hasLifeLeft(life, age) ? { response: record.response, age, origin: 'shared' } : null;
}

/** Whether `record` was fetched in the place of what the file holds, or held; null: nothing. */
export const hasReplaced = (record: TokenRecord, held: TokenRecord | null): boolean =>
  record.replaces === (held?.id ?? '');

/** Whether it is the same token; it may have been marked as rejected meanwhile. */
export const isSame = (one: TokenRecord | null, other: TokenRecord | null): boolean => one?.id === other?.id;

/**
 * Whether the record was fetched before `than`: an older file was put back, and its refresh token is used up. By both
 * clocks: the wall clock may have been set, and containers of one boot may count different uptimes. A system may count
 * these in whole seconds.
 */
export const isOlder = (record: TokenRecord | null, than: TokenRecord | null): boolean =>
  record !== null &&
  record.session === than?.session &&
  record.boot === than.boot &&
  record.uptime < than.uptime - 1000 &&
  record.asked < than.asked;
