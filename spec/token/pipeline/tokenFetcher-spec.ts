import { firstValueFrom, NEVER, of } from 'rxjs';
import { createTokenStream, takeToken, type TokenRequest, type TokenSource } from 'rx-fresh-token';
import { ON_SIGN_OUT } from '../../../src/internal/hiddenMembers.js';
import type { SourceHooks } from '../../../src/token/sourceHooks.js';

/** The request of the first fetch of a stream, which is closed at the end if `answer$` never comes. */
function firstRequest(answer$ = of({ access_token: 'T1' })): TokenRequest {
  const requests: TokenRequest[] = [];
  const token$ = createTokenStream((request) => {
    requests.push(request);
    return answer$;
  });
  token$.subscribe();
  token$.close();
  return requests[0]!;
}

it('should tell the source at the end which of its requests is under way, not one that was answered', () => {
  const ended: unknown[] = [];
  const requests: TokenRequest[] = [];
  const source: TokenSource & SourceHooks = Object.assign(
    (request: TokenRequest) => {
      requests.push(request);
      return requests.length === 2 ? NEVER : of({ access_token: `T${String(requests.length)}` });
    },
    { [ON_SIGN_OUT]: (_token: unknown, pending?: AbortSignal) => void ended.push(pending) },
  );
  const token$ = createTokenStream(source);
  const listening = token$.events.subscribe(({ type }) => {
    // Inside the answer to the first request, so that it ends after the second has begun.
    if (type === 'tokenChanged') token$.refresh().subscribe({ error: () => undefined });
  });
  token$.subscribe();
  token$.signOut();
  listening.unsubscribe();
  firstValueFrom(takeToken(token$)).catch(() => undefined);
  token$.signOut();
  expect(requests).toHaveLength(3);
  expect(ended).toEqual([requests[1]!.signal, undefined]);
  token$.close();
});

describe('the signal of a request for a token', () => {
  const { AbortController: Original } = globalThis;
  afterEach(() => {
    globalThis.AbortController = Original;
  });

  it('should not be made for a source that does not read it', () => {
    let made = 0;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made++;
      }
    };
    const request = firstRequest();
    expect(made).toBe(0);
    expect(request.signal).toBe(request.signal);
    expect(made).toBe(1);
  });

  it('should be aborted if it is first read after the fetch was given up', () => {
    expect(firstRequest(NEVER).signal.aborted).toBe(true);
  });

  it('should not be aborted once there was an answer', () => {
    expect(firstRequest().signal.aborted).toBe(false);
  });

  it('should be a member that a spread copies', () => {
    const request = firstRequest();
    expect({ ...request }).toEqual({ reason: 'initial', attempt: 1, previous: null, signal: request.signal });
  });

  it('should be read through a Proxy and by an object that inherits from the request', () => {
    const request = firstRequest();
    expect(new Proxy(request, {}).signal).toBe(request.signal);
    expect((Object.create(request) as TokenRequest).signal).toBe(request.signal);
  });
});
