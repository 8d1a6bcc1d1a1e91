import { createParser, type ParseError } from 'eventsource-parser';
import { concatMap, defer, EMPTY, finalize, from, switchMap, type Observable } from 'rxjs';
import { HttpStatusError } from '../errors.js';
import { statusOf } from '../internal/answers.js';
import { discard } from '../internal/discard.js';
import { displayUrl } from '../internal/originOf.js';
import { createDestinations } from '../http/destinations.js';
import type { HeadersInit } from '../internal/platformTypes.js';
import { headersOption } from '../http/headerRecord.js';
import { statusError } from '../http/responseBody.js';
import { fetchWithToken, type FetchOptions } from '../http/createFetch.js';
import { MAX_RETRY_AFTER } from '../token/failure.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { connections } from './connections.js';
import { isRejection } from './ends.js';
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
  /** Sent with every request. */
  headers?: HeadersInit | undefined;
}

/** What the server has said, for the next request. */
interface StreamState {
  lastId: string;
  /** Milliseconds. */
  retry: number;
}

/** A server that sends more than this without the end of an event is not read on. Characters. */
const LONGEST_EVENT = 16 * 1024 * 1024;

/** What no header can carry: an id with it is ignored, as the standard has it for NUL. */
const CONTROL = /[^\P{Cc}\t]/u;

/** Client errors that may pass. */
const TEMPORARY = [408, 425, 429];

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
  // The token of the connection that is being opened: it may be for a single use, so its request takes no other.
  let next: AccessToken | null = null;
  // A rejection is the stream's to answer: it knows how often in a row there was one.
  const send = fetchWithToken(token$, { ...options, isRejection: () => false }, destinations, () => next);
  const headers = { accept: 'text/event-stream', ...headersOption(options.headers) };
  const settings = settingsOf({ ...options, isFinal: options.isFinal ?? isFinal });

  return defer(() => {
    const state: StreamState = { lastId: '', retry: 0 };

    const connect = (token: AccessToken, opened: () => void): Observable<ServerSentEvent> => {
      next = token;
      const controller = new AbortController();
      const { signal } = controller;
      const init = { headers: { ...headers, ...lastEventId(state.lastId) }, cache: 'no-store' as const, signal };
      return from(send(href, init)).pipe(
        switchMap((response) => checked(response, name)),
        switchMap((response) => {
          opened();
          return events(response, state, name);
        }),
        finalize(() => {
          controller.abort();
        }),
      );
    };

    const leastPause = (end: unknown) => Math.max(state.retry, settings.leastPause(end));
    return connections(manager, connect, { ...settings, leastPause });
  });
}

/** The events of one response. */
function events(response: Response, state: StreamState, name: () => string): Observable<ServerSentEvent> {
  // React Native's has no body. That of a response without content is null.
  const { body } = response as { body?: AsyncIterable<Uint8Array> | null };
  if (body === undefined) throw unreadable(response, name, 'this fetch gives no body to read');
  const parsed: ServerSentEvent[] = [];
  const decoder = new TextDecoder();
  let isAfterCr = false;
  const parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: ({ id, event = 'message', data }) => {
      if (id !== undefined && !CONTROL.test(id)) state.lastId = id;
      parsed.push({ id: state.lastId, event, data });
    },
    onRetry: (time) => (state.retry = Math.min(time, MAX_RETRY_AFTER)),
    onError: ({ type }: ParseError) => {
      if (type === 'max-buffer-size-exceeded') throw unreadable(response, name, 'an event is too long');
    },
  });
  return from(body ?? EMPTY).pipe(
    concatMap((chunk) => {
      const text = decoder.decode(chunk, { stream: true });
      // A CR ends a line at once (HTML Standard, section 9.2.5). The parser waits for an LF after it.
      parser.feed(text.slice(isAfterCr && text.startsWith('\n') ? 1 : 0).replace(/\r\n?/g, '\n'));
      if (text !== '') isAfterCr = text.endsWith('\r');
      return parsed.splice(0);
    }),
  );
}

/** A status that a repeat does not mend, and a success that is no event stream. */
function isFinal(end: unknown): boolean {
  const status = statusOf(end) ?? Infinity;
  return status < 500 && !TEMPORARY.includes(status) && !isRejection(end);
}

async function checked(response: Response, name: () => string): Promise<Response> {
  if (!response.ok) return statusError(response, name);
  const isEventStream = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '');
  if (response.status !== 204 && isEventStream) return response;
  throw unreadable(response, name, 'the response is no event stream');
}

function unreadable(response: Response, name: () => string, reason: string): HttpStatusError {
  discard(response);
  return new HttpStatusError(`${name()} answered ${String(response.status)}: ${reason}`, response);
}

/** The id in UTF-8, as the standard has it: fetch takes a character for a byte. */
const lastEventId = (id: string): Record<string, string> =>
  id === ''
    ? {}
    : { 'last-event-id': Array.from(new TextEncoder().encode(id), (byte) => String.fromCharCode(byte)).join('') };
