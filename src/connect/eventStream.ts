/** The public function `eventStream`: server-sent events by fetch, because `EventSource` sends no headers. */
import { createParser, type ParseError } from 'eventsource-parser';
import { concatMap, defer, EMPTY, from, switchMap, type Observable, type ObservableInput } from 'rxjs';
import { HttpStatusError } from '../errors.js';
import { abortable } from '../internal/async/abortable.js';
import { limitsRate } from '../answers/anotherTry.js';
import { statusOf } from '../answers/status.js';
import { displayUrl } from '../internal/values/urls.js';
import { createDestinations } from '../http/destinations.js';
import type { HeadersInit } from '../internal/platform/platformTypes.js';
import { headersOption, type HeaderRecord } from '../http/headerRecord.js';
import { statusError } from '../http/responseBody.js';
import { fetchWithToken, type FetchOptions } from '../http/createFetch.js';
import { discard } from '../internal/platform/discard.js';
import { MAX_RETRY_AFTER } from '../answers/isPermanentFailure.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { connections } from './connectWithToken.js';
import { settingsOf, type ConnectOptions } from './options.js';

/** One server-sent event (HTML Standard, section 9.2). */
export interface ServerSentEvent {
  /** The last event id so far, or the empty text. */
  readonly id: string;
  /** The type: `message`, unless the server names one. */
  readonly event: string;
  readonly data: string;
}

/** All times in milliseconds. A value out of range is a TypeError at creation. */
export interface EventStreamOptions extends Omit<ConnectOptions, 'onRenewal'>, Omit<FetchOptions, 'isRejection'> {
  /** Sent with every request; a `Last-Event-ID` until the server gives another id. */
  headers?: HeadersInit | undefined;
}

/** A server that sends more than this without the end of an event is not read on. Characters. */
const LONGEST_EVENT = 16 * 1024 * 1024;

/** What no header can carry: an id with it is ignored, as the standard has it for NUL. */
const CONTROL = /[^\P{Cc}\t]/u;

/**
 * Server-sent events over any number of connections, each with a usable token in the `Authorization` header.
 *
 * ```
 * requests   GET---1---2--x        GET, Last-Event-ID: 2--3---4---
 * result     ------1---2----------------------------------3---4---
 * ```
 *
 * When the connection is lost or the server ends the response, it connects again with the `Last-Event-ID`, not before
 * the `retry:` of the server has passed (at most 5 minutes). Status 204 completes the stream.
 *
 * ```ts
 * const orders$ = eventStream(token$, '/orders/events', { baseUrl: 'https://api.example.com' });
 * ```
 *
 * @returns a cold Observable; unsubscribing aborts the request. It errors with {@link HttpStatusError} for a status for
 *   which a retry does not help, or a response that is no event stream, and as `connectWithToken` does.
 * @throws TypeError that names an option out of range, {@link OriginNotAllowedError} if the token may not go to `url`.
 */
export function eventStream(
  token$: TokenStream,
  url: string | URL,
  options: EventStreamOptions = {},
): Observable<ServerSentEvent> {
  const manager = managerOf(token$);
  const destinations = createDestinations(options);
  const href = destinations.check(String(url));
  const name = () => `GET ${displayUrl(new URL(href))}`;
  // Called when a connection has ended: `settings` is there by then.
  const isFinalAnswer = (end: unknown) => isFinalStatus(end) && !settings.isRejection(end);
  const { isRejection, reconnect, isFinal, maxWait, headers, fetch, authorize, ...requests } = options;
  const settings = settingsOf({ isRejection, reconnect, isFinal, maxWait }, isFinalAnswer);
  const { 'last-event-id': given = '', ...own } = headersOption(headers);
  const firstId = decoded(given);
  requireSendable({ ...own, ...lastEventId(firstId) });
  // The token of the connection that is being opened: it may be for a single use, so its request takes no other.
  let tokenToSend: AccessToken | null = null;
  // A rejection is the stream's to answer: it knows how often in a row there was one.
  const fetchOptions = { ...requests, fetch, authorize, isRejection: () => false };
  const send = fetchWithToken(token$, fetchOptions, destinations, () => tokenToSend);

  return defer(() => {
    /** What the server has said, for the next request. `retry` is in milliseconds. */
    const said = { lastId: firstId, retry: 0 };

    const connect = (token: AccessToken, opened: () => void): Observable<ServerSentEvent> =>
      abortable((signal) => {
        tokenToSend = token;
        const sent = { accept: 'text/event-stream', ...own, ...lastEventId(said.lastId) };
        return from(send(href, { headers: sent, cache: 'no-store', signal })).pipe(
          switchMap((response) => {
            const unreadable = (reason: string): never => {
              // The caller's fetch may have a signal of its own, which the abort does not reach.
              discard(response);
              throw new HttpStatusError(`${name()} answered ${String(response.status)}: ${reason}`, response);
            };
            if (!response.ok) return statusError(response, name);
            if (!isEventStream(response)) return unreadable('the response is no event stream');
            // React Native's has no body. That of a response without content is null.
            if ((response.body as unknown) === undefined) return unreadable('this fetch gives no body to read');
            opened();
            return events(response.body ?? EMPTY, said, unreadable);
          }),
        );
      });

    const leastPause = (end: unknown) => Math.max(said.retry, settings.leastPause(end));
    return connections(manager, connect, { ...settings, leastPause });
  });
}

/** Otherwise each request would fail, and be sent again, for ever. The error of the platform quotes the value. */
function requireSendable(headers: HeaderRecord): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      new Headers({ [name]: value });
    } catch {
      throw new TypeError(`option "headers" must be headers as fetch takes them: "${name}" cannot be sent`);
    }
  }
}

const isEventStream = ({ status, headers }: Response): boolean =>
  status !== 204 && /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');

/** After these a repeat may succeed. Fewer than at a token endpoint: a stream that is gone (410) does not come back. */
const TEMPORARY = [408, 421, 425, 429];

/** A status that a repeat does not mend, and a success that is no event stream. */
function isFinalStatus(end: unknown): boolean {
  const status = statusOf(end) ?? Infinity;
  return status < 500 && !TEMPORARY.includes(status) && !(status >= 400 && limitsRate(end));
}

/** The header, if there is an id. In UTF-8, as the standard has it: fetch takes a character for a byte. */
const lastEventId = (id: string): HeaderRecord =>
  id ? { 'last-event-id': Array.from(new TextEncoder().encode(id), (byte) => String.fromCharCode(byte)).join('') } : {};

/** An id is UTF-8, and headers that were received hold a character for each of its bytes. It may be a number. */
function decoded(given: unknown): string {
  const id = String(given);
  if (/[^\0-\xff]/.test(id)) return id;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(id, (char) => char.charCodeAt(0)),
    );
  } catch {
    return id;
  }
}

/** The events of one response. */
function events(
  body: ObservableInput<Uint8Array>,
  said: { lastId: string; retry: number },
  unreadable: (reason: string) => never,
): Observable<ServerSentEvent> {
  const parsed: ServerSentEvent[] = [];
  const decoder = new TextDecoder();
  let last = '\n';
  const parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: ({ id, event = 'message', data }) => {
      if (id !== undefined && !CONTROL.test(id)) said.lastId = id;
      if (data !== '') parsed.push({ id: said.lastId, event, data: data.slice(0, -1) });
    },
    onRetry: (time) => (said.retry = Math.min(time, MAX_RETRY_AFTER)),
    onError: ({ type }: ParseError) => {
      if (type === 'max-buffer-size-exceeded') unreadable('an event is too long');
    },
  });
  return from(body).pipe(
    concatMap((chunk) => {
      const text = decoder.decode(chunk, { stream: true });
      if (text === '') return [];
      // A CR ends a line at once (HTML Standard, section 9.2.5). The parser waits for an LF after it.
      const lines = text.slice(last === '\r' && text.startsWith('\n') ? 1 : 0).replace(/\r\n?/g, '\n');
      // An id counts without data, too, but the parser drops such a block: so one more line of data ends each block.
      const start = /[\r\n]/.test(last) ? '\n' : '';
      parser.feed(`${start}${lines}`.replace(/\n(?=\n)/g, '\ndata\n').slice(start.length));
      last = text.slice(-1);
      return parsed.splice(0);
    }),
  );
}
