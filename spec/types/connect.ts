/** Compiled only: what TypeScript makes of connections with a token. */
import { expectTypeOf } from 'expect-type';
import { Observable, of } from 'rxjs';
import type { AccessToken, TokenStream } from 'rx-fresh-token';
import {
  connectWithToken,
  eventStream,
  type Connect,
  type ConnectOptions,
  type EventStreamOptions,
  type ReconnectOptions,
  type ServerSentEvent,
} from 'rx-fresh-token/connect';

declare const token$: TokenStream;

// ---- connections of any kind

expectTypeOf(connectWithToken(token$, ({ value }) => of(value))).toEqualTypeOf<Observable<string>>();
expectTypeOf(token$.pipe(connectWithToken(() => of(1)))).toEqualTypeOf<Observable<number>>();
expectTypeOf<Connect<string>>().toBeCallableWith({} as AccessToken, () => undefined);
void connectWithToken(
  token$,
  (token, opened) =>
    new Observable<string>((subscriber) => {
      expectTypeOf(token).toEqualTypeOf<AccessToken>();
      expectTypeOf(opened).toEqualTypeOf<() => void>();
      opened();
      subscriber.next(token.value);
    }),
);
// @ts-expect-error a token must be opened with
void connectWithToken(token$);
// @ts-expect-error that is no Observable
void connectWithToken(token$, () => 5);

// ---- options

void connectWithToken(token$, () => of(1), {
  isRejection: (end) => {
    expectTypeOf(end).toEqualTypeOf<unknown>();
    return false;
  },
  isFinal: undefined,
  onRenewal: (token) => {
    expectTypeOf(token).toEqualTypeOf<AccessToken>();
  },
  reconnect: { initial: 100, max: undefined, random: () => 0 },
  maxWait: Infinity,
});
expectTypeOf<ConnectOptions['reconnect']>().toEqualTypeOf<ReconnectOptions | false | undefined>();
void token$.pipe(connectWithToken(() => of(1), { onRenewal: 'replace', reconnect: false }));
// @ts-expect-error one of two, or a function
void connectWithToken(token$, () => of(1), { onRenewal: 'close' });
// @ts-expect-error a promise is no boolean
void connectWithToken(token$, () => of(1), { isFinal: () => Promise.resolve(true) });
// @ts-expect-error false, or an object
void connectWithToken(token$, () => of(1), { reconnect: true });
// @ts-expect-error no such option
void connectWithToken(token$, () => of(1), { retries: 5 });

// ---- server-sent events

const events$ = eventStream(token$, new URL('https://api.example/events'), { headers: { 'x-tenant': 'a' } });
expectTypeOf(events$).toEqualTypeOf<Observable<ServerSentEvent>>();
expectTypeOf<ServerSentEvent>().toEqualTypeOf<{ readonly id: string; readonly event: string; readonly data: string }>();
expectTypeOf<EventStreamOptions>().toHaveProperty('baseUrl');
expectTypeOf<EventStreamOptions>().toHaveProperty('maxWait');
// @ts-expect-error a response that goes on is asked for anew with the token of then
void eventStream(token$, '/events', { onRenewal: 'replace' });
// @ts-expect-error no stream of createTokenStream
void eventStream(of('T1'), '/events');
