import { NEVER, of } from 'rxjs';
import { createTokenStream, type TokenRequest } from 'rx-fresh-token';

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
