import { firstValueFrom } from 'rxjs';
import { createFetch, createHttpClient, withToken } from 'rx-fresh-token';
import { cleanUp, failureOf, stubFetch, warmTokens } from './support.js';

afterEach(cleanUp);

const baseUrl = 'https://api.example';
const expired = () => Response.json({ error: 'token expired' });
const done = () => Response.json({ done: true });
/** An API that says in the body of a 200 that the token is over. */
const isRejection = async (response: Response): Promise<boolean> =>
  ((await response.clone().json()) as { error?: string }).error === 'token expired';

describe('isRejection that returns a promise', () => {
  it('should be waited for by createFetch: one refresh and one repeat where it says so, and a response that can be read', async () => {
    const { token$, asked } = await warmTokens();
    const { fetch, calls } = stubFetch(done, expired, done);
    const send = createFetch(token$, { baseUrl, fetch, isRejection });
    expect(await (await send('/orders', { method: 'POST', body: 'tea' })).json()).toEqual({ done: true });
    expect([calls.length, asked.length]).toEqual([1, 1]);
    expect(await (await send('/orders', { method: 'POST', body: 'tea' })).json()).toEqual({ done: true });
    expect(calls.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer T1', 'Bearer T1', 'Bearer T2']);
    expect(asked).toHaveLength(2);
  });

  it('should be waited for by createHttpClient', async () => {
    const { token$, asked } = await warmTokens();
    const { fetch, calls } = stubFetch(expired, done);
    const http = createHttpClient(token$, { baseUrl, fetch, isRejection });
    expect(await firstValueFrom(http.post('/orders', { item: 'tea' }))).toEqual({ done: true });
    expect([calls.length, asked.length]).toEqual([2, 2]);
  });

  it('should not make a rejection of its own of each answer', async () => {
    const { token$, asked } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    await createFetch(token$, { baseUrl, fetch, isRejection: () => Promise.resolve(false) })('/', { method: 'POST' });
    expect([calls.length, asked.length]).toEqual([1, 1]);
  });

  it('should fail the request where it fails', async () => {
    const { token$ } = await warmTokens();
    const mistake = new RangeError('mine');
    const send = createFetch(token$, {
      baseUrl,
      fetch: stubFetch(200).fetch,
      isRejection: () => Promise.reject(mistake),
    });
    expect(await failureOf(send('/'))).toBe(mistake);
  });

  it('should leave no rejection unhandled where the caller aborts meanwhile', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const { token$ } = await warmTokens();
    const controller = new AbortController();
    const send = createFetch(token$, {
      baseUrl,
      fetch: stubFetch(200).fetch,
      // As the body of a response does when it is read after an abort.
      isRejection: () => {
        controller.abort();
        return Promise.reject(new Error('no body'));
      },
    });
    expect(await failureOf(send('/', { signal: controller.signal }))).toBe(controller.signal.reason);
    await new Promise((resolve) => setTimeout(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('should not hold an abort up', async () => {
    const { token$ } = await warmTokens();
    const controller = new AbortController();
    const reason = new Error('enough');
    const send = createFetch(token$, {
      baseUrl,
      fetch: stubFetch(200).fetch,
      isRejection: () => {
        setImmediate(() => {
          controller.abort(reason);
        });
        return new Promise(() => undefined);
      },
    });
    expect(await failureOf(send('/', { signal: controller.signal }))).toBe(reason);
  });
});

it.each([null, undefined, 0, ''])('isRejection that returns %j should mean no', async (value) => {
  const { token$ } = await warmTokens();
  const { fetch, calls } = stubFetch(401);
  await createFetch(token$, { baseUrl, fetch, isRejection: () => value as unknown as boolean })('/');
  expect(calls).toHaveLength(1);
});

it('should be no acceptance of the token, whatever the status: each call would cost a refresh', async () => {
  const { token$, asked } = await warmTokens();
  const send = createFetch(token$, { baseUrl, fetch: stubFetch(expired).fetch, isRejection });
  for (let i = 0; i < 4; i++) expect((await send('/')).status).toBe(200);
  expect(asked.length).toBe(2);
});

it('should be remembered for the resource at the end of the redirects of a POST', async () => {
  const { token$, asked } = await warmTokens();
  const moved = new Response(null, { status: 307, headers: { location: '/there' } });
  const { fetch } = stubFetch(moved, 403, 403, 200, 403);
  const send = createFetch(token$, { baseUrl, fetch });
  const statusOf = async (path: string) => (await send(path, { method: 'POST' })).status;
  expect([await statusOf('/here'), await statusOf('/open'), await statusOf('/there')]).toEqual([403, 200, 403]);
  expect(asked.length).toBe(2);
});

describe('an answer that isRejection fails to judge', () => {
  const mistake = new Error('mine');
  const predicates: [string, () => boolean | Promise<boolean>][] = [
    [
      'throws',
      () => {
        throw mistake;
      },
    ],
    ['rejects', () => Promise.reject(mistake)],
  ];
  /** A response, and whether its body was let go of. */
  const unread = () => {
    const cancel = jest.fn();
    return { response: new Response(new ReadableStream({ cancel })), cancel };
  };

  it.each(predicates)('should hold no connection where it %s', async (_how, isRejection) => {
    const { token$ } = await warmTokens();
    const { response, cancel } = unread();
    const send = createFetch(token$, { baseUrl, fetch: () => Promise.resolve(response), isRejection });
    expect(await failureOf(send('/'))).toBe(mistake);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it.each(predicates)('should hold none in withToken, too, where it %s', async (_how, isRejection) => {
    const { token$ } = await warmTokens();
    const { response, cancel } = unread();
    const options = { isRejection: isRejection as () => boolean };
    await expect(firstValueFrom(token$.pipe(withToken(() => [response], options)))).rejects.toThrow();
    expect(cancel).toHaveBeenCalledTimes(1);
  });
});
