/** Compiled only: what TypeScript makes of the kit for tests. */
import { expectTypeOf } from 'expect-type';
import type { Observable } from 'rxjs';
import {
  createFetch,
  createTokenStream,
  TokenEndpointError,
  withToken,
  type AccessToken,
  type TokenSource,
  type TokenStream,
} from 'rx-fresh-token';
import {
  eventMarbles,
  fakeTokenSource,
  leaveZone,
  plainError,
  scriptedApi,
  startTokenServer,
  tokenMarbles,
  virtualClock,
  type ApiResponse,
  type FakeTokenSource,
  type PlainError,
  type TokenCall,
  type TokenServer,
} from 'rx-fresh-token/testing';

// ---- a source like any other

const source = fakeTokenSource({
  latency: (n) => n,
  steps: [
    'token',
    'transient',
    'permanent',
    'hang',
    new TokenEndpointError('no'),
    { access_token: 'T', expires_in: 1 },
  ],
});
expectTypeOf(source).toEqualTypeOf<FakeTokenSource>();
expectTypeOf(source).toExtend<TokenSource>();
expectTypeOf(source.calls).toEqualTypeOf<readonly TokenCall[]>();
expectTypeOf(source.calls[0]!.outcome).toEqualTypeOf<'pending' | 'token' | 'failed' | 'aborted'>();
const token$: TokenStream = createTokenStream(source);
// @ts-expect-error no such step
fakeTokenSource({ steps: ['fail'] });
// @ts-expect-error no such option
fakeTokenSource({ delay: 5 });
// @ts-expect-error records are read only
source.calls[0]!.outcome = 'token';

// ---- an API whose answers have a type

declare const token: AccessToken;
const api = scriptedApi({ tokens: source });
expectTypeOf(withToken(token$, api.send)).toEqualTypeOf<Observable<string>>();
expectTypeOf(createFetch).toBeCallableWith(token$, { fetch: api.fetch });
expectTypeOf(
  scriptedApi({ tokens: ['a'], answer: ({ path }) => ({ path }) }).send(token, '/orders', 'POST'),
).toEqualTypeOf<Observable<{ path: string }>>();
expectTypeOf(scriptedApi({ tokens: new Set(['a']), responses: true }).send(token)).toEqualTypeOf<
  Observable<ApiResponse>
>();
declare const responses: boolean;
expectTypeOf(scriptedApi({ tokens: source, responses }).send(token)).toEqualTypeOf<Observable<string | ApiResponse>>();
api.revoke(token);
api.revoke('a');
// @ts-expect-error whose tokens?
scriptedApi({});
// @ts-expect-error no such way to refuse
scriptedApi({ tokens: source, refuseWith: 404 });

// ---- marbles

expectTypeOf(tokenMarbles(token$)).toEqualTypeOf<Observable<string>>();
expectTypeOf(tokenMarbles(withToken(token$, () => [1]))).toEqualTypeOf<Observable<number>>();
expectTypeOf(eventMarbles(token$.events)).toEqualTypeOf<Observable<string>>();
expectTypeOf(plainError(new Error('x'))).toEqualTypeOf<PlainError>();
expectTypeOf(plainError('x' as unknown)).toBeUnknown();

// ---- clocks, zones, servers

const clock = virtualClock();
expectTypeOf(createTokenStream).toBeCallableWith(source, { now: clock.now });
expectTypeOf(leaveZone(() => 5)).toBeNumber();
expectTypeOf(startTokenServer({ lifetime: 100 })).toEqualTypeOf<Promise<TokenServer>>();
expectTypeOf<TokenServer['source']>().toEqualTypeOf<TokenSource>();
expectTypeOf(leaveZone(async () => startTokenServer())).toEqualTypeOf<Promise<TokenServer>>();
