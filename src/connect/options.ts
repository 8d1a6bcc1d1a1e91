/** The options of `connectWithToken`: their public types, their checks and their defaults. */
import type { ObservableInput } from 'rxjs';
import { FINITE, numbersIn, requireFunctions, requireObject, wrong } from '../internal/values/validate.js';
import { callPredicate } from '../internal/values/callPredicate.js';
import { retryAfterOf } from '../answers/isPermanentFailure.js';
import type { AccessToken } from '../token/types.js';
import { isNormal, isRejection as isRejected } from './ends.js';

/**
 * Opens one connection.
 *
 * @param opened call it when the connection is open. Without it, the first message counts as that.
 */
export type Connect<T> = (token: AccessToken, opened: () => void) => ObservableInput<T>;

/** Pauses between connections, in ms: `initial * factor ** (failures - 1)`, at most `max`, with full jitter. */
export interface ReconnectOptions {
  /** Finite, >= 0. Default 250. */
  initial?: number | undefined;
  /**
   * The longest pause. After a connection was open for this long, at least 1 s, the pauses start again at `initial`.
   * Finite, >= 0. Default 10 000.
   */
  max?: number | undefined;
  /** Finite, >= 1. Default 2. */
  factor?: number | undefined;
  /**
   * The most reconnects in a row, without a connection that was open for `max`. >= 0, or Infinity. Default Infinity.
   */
  count?: number | undefined;
  /** A number from 0 up to 1. Default `Math.random`. */
  random?: (() => number) | undefined;
}

/** All times in milliseconds. `undefined` means the default. A value out of range is a TypeError at creation. */
export interface ConnectOptions {
  /**
   * Gets the error of the connection (null: it completed), and returns true if the server rejected the token. Default:
   * close codes 1008, 3000, 3003, 4401 and 4403; status 401 or 403 as in `withToken`, and the code `invalid_token`,
   * also in the errors of `ws`, `websocket`, `eventsource`, socket.io and React Native.
   */
  isRejection?: ((end: unknown) => boolean) | undefined;
  /**
   * What happens to an open connection when there is a new token. `'keep'`: nothing. `'replace'`: a new connection is
   * opened, then the old one is closed. A function: it sends the token to the server over the connection, and is called
   * when that is open; if it throws, or its promise is rejected, the stream ends with that. Default `'keep'`.
   */
  onRenewal?: ('keep' | 'replace' | ((token: AccessToken) => unknown)) | undefined;
  /** How to connect again. false: the stream ends with the connection. */
  reconnect?: ReconnectOptions | false | undefined;
  /**
   * Gets the error of the connection (null: it completed) and what the default says of it, and returns true if the
   * stream should end. Default: null, and close code 1000.
   */
  isFinal?: ((end: unknown, byDefault: boolean) => boolean) | undefined;
  /**
   * Waits at most this many ms for a usable token. >= 0, or Infinity. Default Infinity: only a permanent failure ends
   * the wait.
   */
  maxWait?: number | undefined;
}

/** The options with their defaults. */
export type ConnectSettings = ReturnType<typeof settingsOf>;

/** Checks every option. @throws TypeError that names an option out of range */
export function settingsOf(options: ConnectOptions = {}, isFinalByDefault = isNormal) {
  requireObject(options);
  const { isRejection = isRejected, onRenewal = 'keep', reconnect = {}, isFinal, ...numbers } = options;
  const checked = numbersIn(numbers, { maxWait: [0, Infinity, Infinity] });
  requireFunctions({ isRejection, isFinal });
  if (onRenewal !== 'keep' && onRenewal !== 'replace' && typeof onRenewal !== 'function')
    throw wrong('onRenewal', onRenewal, '"keep", "replace" or a function');
  return {
    isRejection: (end: unknown) => callPredicate(isRejection, end, 'isRejection'),
    isFinal: (end: unknown) => {
      const byDefault = isFinalByDefault(end);
      return isFinal ? callPredicate((given) => isFinal(given, byDefault), end, 'isFinal') : byDefault;
    },
    onRenewal,
    reconnects: reconnect !== false,
    backoff: backoffOf(reconnect === false ? {} : reconnect),
    /**
     * No reconnect comes sooner after such an end: its `Retry-After`. A page reads no `Date` of another origin: our
     * clock takes its place.
     */
    leastPause: (end: unknown): number => retryAfterOf(end, Date.now(), false) ?? 0,
    ...checked,
  };
}

function backoffOf(reconnect: ReconnectOptions) {
  if (typeof reconnect !== 'object' || (reconnect as unknown) === null)
    throw wrong('reconnect', reconnect, 'false or an object');
  const { random = Math.random, ...numbers } = reconnect;
  requireFunctions({ 'reconnect.random': random });
  const checked = numbersIn(
    numbers as Record<string, unknown>,
    { initial: [0, FINITE, 250], max: [0, FINITE, 10_000], factor: [1, FINITE, 2], count: [0, Infinity, Infinity] },
    'reconnect.',
  );
  return { ...checked, random };
}
