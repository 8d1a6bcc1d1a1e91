/** A request of the HTTP client as an Observable, with its time limit. */
import { Observable } from 'rxjs';
import { RequestTimeoutError, TokenUnavailableError } from '../errors.js';
import { isStream } from '../internal/values/isStream.js';
import { onAbort, reasonOf } from '../internal/async/onAbort.js';
import { onBehalfOf } from '../internal/hiddenMembers.js';
import { timeLimit } from '../internal/time/timers.js';
import type { TokenManager } from '../token/tokenManager.js';
import { uniformError } from './uniformError.js';
import type { OutgoingInit } from './outgoingRequest.js';
import type { FetchWithToken } from './createFetch.js';

/** A request of the client, ready to be sent. */
export interface ClientRequest<R> {
  readonly input: string | Request;
  readonly init: OutgoingInit;
  /** Milliseconds for all of it. */
  readonly timeout: number | undefined;
  /** For messages. */
  readonly name: () => string;
  /** What becomes of the response. Default: it is emitted, and its caller reads it. */
  readonly read: Read<R> | undefined;
}

/** What a client sends its requests with. */
export interface ClientSender extends Pick<TokenManager, 'timers' | 'lastError'> {
  readonly send: FetchWithToken;
}

/** Reads a response; `name` is for messages. */
export type Read<R> = (response: Response, name: () => string) => R | Promise<R>;

/** Bodies that callers may still be reading. React Native has no registry, and streams no body. */
const unreadBodies =
  typeof FinalizationRegistry === 'function'
    ? /* @__PURE__ */ new FinalizationRegistry<() => void>((unlink) => unlink())
    : undefined;

/** @param lastError of the token source. Given if the request was still waiting for its token */
function timeoutError(name: string, timeout: number, lastError?: () => unknown): RequestTimeoutError {
  const cause = lastError && new TokenUnavailableError(undefined, { cause: lastError() });
  const why = cause ? `: ${cause.message}` : '';
  return new RequestTimeoutError(`${name} took longer than ${String(timeout)} ms${why}`, cause && { cause });
}

/** Subscribing sends, unsubscribing aborts. Hand-made, since RxJS' fromFetch takes no injected fetch. */
export const sendOnSubscribe = <R>(
  { send, timers, lastError }: ClientSender,
  { input, init, timeout, name, read }: ClientRequest<R>,
): Observable<R> => {
  let isSpent = false;
  return new Observable((subscriber) => {
    // Also if nothing was sent: a body that is not sent is released.
    if (isSpent) throw new TypeError(`${name()}: the body can be read only once`);
    isSpent = isStream(init.body);
    const { signal } = init;
    const controller = new AbortController();
    // Not AbortSignal.any: a signal that outlives its requests keeps something of each, in Node 20 for ever.
    const unlink = signal ? onAbort(signal, () => controller.abort(reasonOf(signal))) : () => undefined;
    let isWaiting = false;
    let isReading = false;
    let isSettled = false;
    if (timeout !== undefined) {
      const late = () => subscriber.error(timeoutError(name(), timeout, isWaiting ? lastError : undefined));
      subscriber.add(timeLimit(timers, timeout, true).subscribe(late));
    }
    const replacingSignal = onBehalfOf(signal, controller.signal);
    const response = send(input, init as RequestInit, replacingSignal, (now) => (isWaiting = now));
    const result = read
      ? response.then((unread) => {
          isReading = true;
          return read(unread, name);
        })
      : (response as Promise<R>);
    result.then(
      (value) => {
        isSettled = true;
        // The caller may still be reading the body, and an abort must end that. So the listener lives as long as the
        // body: a reader keeps the body alive, but not the response.
        const { body } = (read ? {} : value) as Partial<Response>;
        if (unreadBodies && signal && typeof body === 'object' && body) unreadBodies.register(body, unlink);
        else unlink();
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        isSettled = true;
        unlink();
        // A failed sending is uniform already.
        subscriber.error(isReading ? uniformError(error, replacingSignal) : error);
      },
    );
    return () => {
      if (isSettled) return;
      unlink();
      controller.abort();
    };
  });
};
