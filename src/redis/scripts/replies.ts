/** Parses what the scripts and pushes say. */
import { TokenStoreError } from '../../errors.js';

/** A token as it lies in Redis. Times by Redis' clock, in ms; `life` -1 when unknown. */
export interface EncryptedToken {
  readonly generation: number;
  readonly issued: number;
  readonly life: number;
  readonly encrypted: string;
}

/** What every script's answer begins with. */
export interface AnswerHeader {
  /** Redis' time. */
  readonly now: number;
  /** Tells the hash from one of the same name elsewhere; '' when there is none yet. */
  readonly hashId: string;
  /** The generation of the last sign-out; 0 when there was none. */
  readonly ended: number;
}

export type Acquired = AnswerHeader &
  (
    | { readonly type: 'token'; readonly token: EncryptedToken }
    | { readonly type: 'wait'; readonly left: number }
    | { readonly type: 'pause'; readonly left: number; readonly failure: string }
    | {
        readonly type: 'lease';
        readonly fence: number;
        readonly lease: number;
        readonly failures: number;
        /** Of the last token, which the hash may no longer hold. */
        readonly life: number;
        /** What is stored, valid or not; null when there is nothing. */
        readonly last: EncryptedToken | null;
      }
    | { readonly type: 'nothing' }
  );

export type CommitResult =
  /** Stored, for all. */
  | { readonly type: 'stored'; readonly generation: number }
  /** Someone else leads, or has stored a token or signed out since: the stored token counts, if there is one. */
  | { readonly type: 'stale'; readonly token: EncryptedToken | null };

type Push = { readonly now: number } & (
  | { readonly type: 'token'; readonly hashId: string; readonly token: EncryptedToken }
  | { readonly type: 'failed' | 'signedOut' }
);

/** Reads the answer of the acquire script. */
export function parseAcquireReply(reply: unknown): Acquired {
  const { type, header, fields } = split(reply);
  switch (type) {
    case 'T':
      return { type: 'token', ...header, token: tokenIn(fields) };
    case 'W':
      return { type: 'wait', ...header, left: ms(fields[0]) };
    case 'B':
      return { type: 'pause', ...header, left: ms(fields[0]), failure: fields[1] ?? '' };
    case 'L': {
      const [fence, lease, failures, ...last] = fields;
      const [, , life, encrypted] = last;
      const numbers = { fence: ms(fence), lease: ms(lease), failures: ms(failures), life: ms(life) };
      return { type: 'lease', ...header, ...numbers, last: encrypted ? tokenIn(last) : null };
    }
    case 'N':
      return { type: 'nothing', ...header };
    default:
      throw unreadable();
  }
}

/** Reads the answer of the commit script. */
export function parseCommitReply(reply: unknown): AnswerHeader & CommitResult {
  const { type, header, fields } = split(reply);
  if (type === 'O') return { type: 'stored', ...header, generation: ms(fields[0]) };
  if (type === 'S') return { type: 'stale', ...header, token: fields[4] === '1' ? tokenIn(fields) : null };
  throw unreadable();
}

/** Reads the answer of the sign-out script. */
export function parseSignOutReply(reply: unknown): AnswerHeader {
  const { type, header } = split(reply);
  if (type === 'E') return header;
  throw unreadable();
}

/** Reads a message of the channel; undefined for one that no script has sent. */
export function parsePush(message: string): Push | undefined {
  const [type, time, hashId = '', generation, issued, life, , encrypted] = message.split('\n');
  try {
    const now = ms(time);
    if (type === 'F') return { type: 'failed', now };
    if (type === 'E') return { type: 'signedOut', now };
    if (type !== 'T') return undefined;
    return { type: 'token', now, hashId, token: tokenIn([generation, issued, life, encrypted]) };
  } catch {
    return undefined;
  }
}

type Fields = readonly (string | undefined)[];

function split(reply: unknown): { type: string | undefined; header: AnswerHeader; fields: Fields } {
  // A client may be set to give Buffers.
  const [type, time, hashId = '', ended, ...fields] = Array.isArray(reply) ? reply.map(String) : [];
  return { type, header: { now: ms(time), hashId, ended: ms(ended) }, fields };
}

function tokenIn([generation, issued, life, encrypted]: Fields): EncryptedToken {
  if (!encrypted) throw unreadable();
  return { generation: ms(generation), issued: ms(issued), life: ms(life), encrypted };
}

function ms(text?: string): number {
  const value = Number(text);
  if (!text || !Number.isSafeInteger(value)) throw unreadable();
  return value;
}

/** Never quotes it. */
const unreadable = () => new TokenStoreError('Redis answered something that no script of this library says');
