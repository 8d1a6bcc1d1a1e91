import { TokenStoreError } from '../errors.js';

/** A token as it lies in Redis. Times by Redis' clock, in ms; `life` -1 when unknown. */
export interface SealedToken {
  readonly generation: number;
  readonly issued: number;
  readonly life: number;
  readonly sealed: string;
}

/** What every script's answer says besides. */
export interface Said {
  /** Redis' time. */
  readonly now: number;
  /** Tells the hash from one of the same name elsewhere; '' when there is none yet. */
  readonly place: string;
  /** The generation of the last sign-out; 0 when there was none. */
  readonly ended: number;
}

export type Acquired = Said &
  (
    | { readonly type: 'token'; readonly token: SealedToken }
    | { readonly type: 'wait'; readonly left: number }
    | { readonly type: 'pause'; readonly left: number; readonly failure: string }
    | {
        readonly type: 'lead';
        readonly fence: number;
        readonly lease: number;
        readonly failures: number;
        /** Of the last token, which the hash may no longer hold. */
        readonly life: number;
        /** What is stored, valid or not; null when there is nothing. */
        readonly last: SealedToken | null;
      }
    | { readonly type: 'nothing' }
  );

export type Committed = Said &
  (
    | { readonly type: 'stored'; readonly generation: number }
    | { readonly type: 'stale'; readonly token: SealedToken | null }
  );

export type SignedOut = Said & { readonly type: 'signedOut' };

export type Push =
  | {
      readonly type: 'token';
      readonly now: number;
      readonly place: string;
      readonly token: SealedToken;
      readonly owner: string;
    }
  | { readonly type: 'failed' | 'signedOut'; readonly now: number };

/** What the acquire script said. */
export function acquired(reply: unknown): Acquired {
  const [type, time, place = '', ended, a, b, c, d, e, f, g] = fields(reply);
  const said = () => ({ now: ms(time), place, ended: ms(ended) });
  switch (type) {
    case 'T':
      return { type: 'token', ...said(), token: token(a, b, c, d) };
    case 'W':
      return { type: 'wait', ...said(), left: ms(a) };
    case 'B':
      return { type: 'pause', ...said(), left: ms(a), failure: b ?? '' };
    case 'L':
      return {
        type: 'lead',
        ...said(),
        fence: ms(a),
        lease: ms(b),
        failures: ms(c),
        life: ms(f),
        last: g ? token(d, e, f, g) : null,
      };
    case 'N':
      return { type: 'nothing', ...said() };
    default:
      throw unreadable();
  }
}

/** What the commit script said. */
export function committed(reply: unknown): Committed {
  const [type, time, place = '', ended, generation, issued, life, sealed, valid] = fields(reply);
  const said = () => ({ now: ms(time), place, ended: ms(ended) });
  if (type === 'O') return { type: 'stored', ...said(), generation: ms(generation) };
  if (type === 'S')
    return { type: 'stale', ...said(), token: valid === '1' ? token(generation, issued, life, sealed) : null };
  throw unreadable();
}

/** What the sign-out script said. */
export function signedOut(reply: unknown): SignedOut {
  const [type, time, place = '', ended] = fields(reply);
  if (type === 'E') return { type: 'signedOut', now: ms(time), place, ended: ms(ended) };
  throw unreadable();
}

/** What came through the channel; undefined for what others may say there. */
export function pushed(message: string): Push | undefined {
  const [type, now, place = '', generation, issued, life, owner = '', ...sealed] = message.split('\n');
  try {
    if (type === 'F') return { type: 'failed', now: ms(now) };
    if (type === 'E') return { type: 'signedOut', now: ms(now) };
    return type === 'T'
      ? { type: 'token', now: ms(now), place, token: token(generation, issued, life, sealed.join('\n')), owner }
      : undefined;
  } catch {
    return undefined;
  }
}

function token(generation?: string, issued?: string, life?: string, sealed?: string): SealedToken {
  if (!sealed) throw unreadable();
  return { generation: ms(generation), issued: ms(issued), life: ms(life), sealed };
}

/** A client may be set to give Buffers. */
const fields = (reply: unknown): (string | undefined)[] => (Array.isArray(reply) ? reply.map(String) : []);

function ms(text?: string): number {
  const value = Number(text);
  if (!text || !Number.isSafeInteger(value)) throw unreadable();
  return value;
}

/** Never quotes it. */
const unreadable = () => new TokenStoreError('Redis answered something that no script of this library says');
