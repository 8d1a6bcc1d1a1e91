/** Compiled only: what TypeScript makes of streams, tokens and events. */
import { expectTypeOf } from 'expect-type';
import { asyncScheduler, from, of, type Observable } from 'rxjs';
import {
  createTokenStream,
  takeToken,
  withToken,
  type AccessToken,
  type BackoffOptions,
  type Closed,
  type Idle,
  type RefreshFailed,
  type RefreshReason,
  type RefreshStarted,
  type RejectionBudget,
  type RejectionOutcome,
  type SignedOut,
  type StoredToken,
  type TokenChanged,
  type TokenEvent,
  type TokenExpired,
  type TokenRejected,
  type TokenRequest,
  type TokenResponse,
  type TokenSource,
  type TokenStore,
  type TokenStream,
  type TokenStreamOptions,
} from 'rx-fresh-token';

// ---- sources: whatever RxJS can read

const response: TokenResponse = { access_token: 'T1', expires_in: 30 };
expectTypeOf(createTokenStream).toBeCallableWith(() => of(response));
expectTypeOf(createTokenStream).toBeCallableWith(() => Promise.resolve(response));
expectTypeOf(createTokenStream).toBeCallableWith(() => [response]);
expectTypeOf(createTokenStream).toBeCallableWith(
  async ({ signal }) => (await fetch('https://auth.example.com/token', { signal })).json() as Promise<TokenResponse>,
);
expectTypeOf(createTokenStream).toBeCallableWith(({ previous }) =>
  from([{ access_token: previous?.value ?? 'T1', expires_in: '30', refresh_token: 'r', anything: [1] }]),
);
expectTypeOf(createTokenStream).toBeCallableWith(({ signal }) => fetch('https://auth.example.com/token', { signal }));
expectTypeOf<TokenSource>().parameters.toEqualTypeOf<[request: TokenRequest]>();
/** As an application or a generator of clients declares it: an interface has no index signature. */
interface LoginResponse {
  access_token: string;
  expires_in: number;
  user: { id: number };
}
class LoginDto {
  access_token = 'T1';
  refreshedBy = 'login';
}
expectTypeOf(createTokenStream).toBeCallableWith(() => of({} as LoginResponse));
expectTypeOf(createTokenStream).toBeCallableWith(async () => Promise.resolve(new LoginDto()));
expectTypeOf(createTokenStream).toBeCallableWith(() => of(response), { initial: new LoginDto() });
// @ts-expect-error a token response says access_token
void createTokenStream(() => of({ accessToken: 'T1' }));
// @ts-expect-error a source is a function
void createTokenStream(of(response));
// @ts-expect-error a response has an access_token
void createTokenStream(() => of({ token: 'T1' }));
// @ts-expect-error a source is not the bare token
void createTokenStream(() => Promise.resolve('T1'));

expectTypeOf<TokenRequest['reason']>().toEqualTypeOf<'initial' | 'scheduled' | 'expired' | 'rejected' | 'manual'>();
expectTypeOf<TokenRequest['reason']>().toEqualTypeOf<RefreshReason>();
expectTypeOf<TokenRequest['attempt']>().toBeNumber();
expectTypeOf<TokenRequest['previous']>().toEqualTypeOf<AccessToken | null>();
expectTypeOf<TokenRequest['signal']>().toEqualTypeOf<AbortSignal>();

// ---- streams

declare const token$: TokenStream;
expectTypeOf(createTokenStream).returns.toEqualTypeOf<TokenStream>();
expectTypeOf(token$).toExtend<Observable<AccessToken>>();
expectTypeOf(token$).toExtend<Disposable>();
expectTypeOf(token$.current).toEqualTypeOf<AccessToken | null>();
expectTypeOf(token$.events).toEqualTypeOf<Observable<TokenEvent>>();
expectTypeOf(token$.refresh()).toEqualTypeOf<Observable<AccessToken>>();
expectTypeOf(token$.reject).parameters.toEqualTypeOf<[token: AccessToken]>();
expectTypeOf(token$.close).returns.toBeVoid();
expectTypeOf(token$.signOut).returns.toBeVoid();
expectTypeOf(takeToken(token$)).toEqualTypeOf<Observable<AccessToken>>();
expectTypeOf(takeToken(token$, { maxWait: 5 })).toEqualTypeOf<Observable<AccessToken>>();
expectTypeOf(token$.pipe(withToken(({ value }) => of(value.length)))).toEqualTypeOf<Observable<number>>();
expectTypeOf(withToken(token$, () => Promise.resolve('x'))).toEqualTypeOf<Observable<string>>();
// @ts-expect-error it follows a stream of tokens
void of(1).pipe(withToken(() => of(1)));
// @ts-expect-error only the stream itself changes its token
token$.current = null;

// ---- tokens are read only

declare const token: AccessToken;
expectTypeOf(token.value).toBeString();
expectTypeOf(token.type).toBeString();
expectTypeOf(token.id).toBeString();
expectTypeOf(token.issuedAt).toBeNumber();
expectTypeOf(token.expiresAt).toBeNumber();
expectTypeOf(token.scope).toEqualTypeOf<string | undefined>();
expectTypeOf(token.raw).toEqualTypeOf<TokenResponse>();
expectTypeOf(token.raw.anything).toBeUnknown();
// @ts-expect-error tokens are immutable
token.value = 'x';
// @ts-expect-error tokens are immutable
token.expiresAt = 0;

// ---- events are told apart by their type

expectTypeOf<TokenEvent['type']>().toEqualTypeOf<
  | 'refreshStarted'
  | 'tokenChanged'
  | 'refreshFailed'
  | 'tokenRejected'
  | 'tokenExpired'
  | 'idle'
  | 'signedOut'
  | 'closed'
>();
expectTypeOf<TokenEvent['at']>().toBeNumber();
expectTypeOf<TokenEvent>().toExtend<
  RefreshStarted | TokenChanged | RefreshFailed | TokenRejected | TokenExpired | Idle | SignedOut | Closed
>();
expectTypeOf<NonNullable<TokenStreamOptions['backoff']>>().toEqualTypeOf<BackoffOptions>();
expectTypeOf<NonNullable<TokenStreamOptions['rejectionBudget']>>().toEqualTypeOf<RejectionBudget>();

/** Every kind of event is handled, or this does not compile. */
export function textOf(event: TokenEvent): string {
  switch (event.type) {
    case 'refreshStarted':
      expectTypeOf(event.reason).toEqualTypeOf<RefreshReason>();
      expectTypeOf(event.attempt).toBeNumber();
      return event.reason;
    case 'tokenChanged':
      expectTypeOf(event.token).toEqualTypeOf<AccessToken>();
      expectTypeOf(event.previous).toEqualTypeOf<AccessToken | null>();
      expectTypeOf(event.took).toBeNumber();
      expectTypeOf(event.origin).toEqualTypeOf<'fetched' | 'shared' | 'initial'>();
      return event.origin;
    case 'refreshFailed':
      expectTypeOf(event.error).toBeUnknown();
      expectTypeOf(event.message).toBeString();
      expectTypeOf(event.retryIn).toEqualTypeOf<number | null>();
      expectTypeOf(event.permanent).toBeBoolean();
      return String(event.retryIn);
    case 'tokenRejected':
      expectTypeOf(event.outcome).toEqualTypeOf<RejectionOutcome>();
      expectTypeOf(event.outcome).toEqualTypeOf<'refreshing' | 'alreadyReplaced' | 'suppressed'>();
      return event.outcome;
    case 'tokenExpired':
      expectTypeOf(event.token).toEqualTypeOf<AccessToken>();
      return event.token.id;
    case 'idle':
    case 'signedOut':
    case 'closed':
      expectTypeOf(event).not.toHaveProperty('token');
      return event.type;
    default:
      expectTypeOf(event).toBeNever();
      return event;
  }
}

// ---- options

expectTypeOf<TokenStreamOptions['refreshBefore']>().toEqualTypeOf<
  number | ((token: AccessToken) => number) | undefined
>();
expectTypeOf<TokenStreamOptions['lifetime']>().toEqualTypeOf<
  ((response: TokenResponse) => number | undefined) | undefined
>();
expectTypeOf({
  backoff: { max: 5 },
  rejectionBudget: {},
  scheduler: asyncScheduler,
  wake: of(1),
}).toExtend<TokenStreamOptions>();
// @ts-expect-error milliseconds are numbers
void createTokenStream(() => of(response), { maxWait: '5 s' });
// @ts-expect-error no such option
void createTokenStream(() => of(response), { maxwait: 5 });

// ---- stores

expectTypeOf<StoredToken>().toEqualTypeOf<{
  readonly response: TokenResponse;
  readonly age: number;
  readonly origin: 'fetched' | 'shared';
}>();
expectTypeOf<TokenStore['refresh']>().parameters.toEqualTypeOf<
  [request: TokenRequest, fetch: (last?: TokenResponse | null) => Observable<TokenResponse>]
>();
expectTypeOf({
  refresh: () => Promise.resolve<StoredToken>({ response, age: 0, origin: 'shared' }),
}).toExtend<TokenStore>();
expectTypeOf({ refresh: () => of(response) }).not.toExtend<TokenStore>();
