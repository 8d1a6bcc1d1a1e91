import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { firstValueFrom, from, last, NEVER } from 'rxjs';
import { createFetch, createHttpClient, type TokenStream } from 'rx-fresh-token';
import { answer, cleanUp, failureOf, pause, serve, tokens, until, warmTokens } from './support.js';

afterEach(cleanUp);

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
/** Twice, since what a finalizer frees is collected by the next one. */
const collect = async () => {
  for (let n = 0; n < 2; n++) {
    await pause(10);
    gc();
  }
};

const reason = new Error('the user left');
const end = (answered: Promise<unknown>) => Promise.race([failureOf(answered), pause(1000)]);
const post = (signal: AbortSignal | null) => ({ method: 'POST', body: '{}', signal });

type Send = (url: string, signal: AbortSignal) => [string | Request, RequestInit?];
const waysToGive: [string, Send][] = [
  ['a Request', (url, signal) => [new Request(url, { signal })]],
  ['a Request with a body', (url, signal) => [new Request(url, post(signal))]],
  ['a Request as init', (url, signal) => [url, new Request(url, post(signal))]],
  ['an init beside a Request', (url, signal) => [new Request(url, post(null)), { signal }]],
  [
    'a Request with a stream',
    (url, signal) => [
      new Request(url, { ...post(signal), body: new Blob(['{}']).stream(), duplex: 'half' } as RequestInit),
    ],
  ],
];
const clients: [string, (token$: TokenStream, origin: string) => (...given: ReturnType<Send>) => Promise<Response>][] =
  [
    ['createFetch', (token$, baseUrl) => createFetch(token$, { baseUrl })],
    [
      'http.request',
      (token$, baseUrl) => {
        const http = createHttpClient(token$, { baseUrl });
        return (...given) => firstValueFrom(http.request(...given));
      },
    ],
  ];

describe('after a garbage collection', () => {
  describe.each(clients)('%s', (_client, make) => {
    it.each(waysToGive)('should still be aborted by the signal of %s', async (_name, give) => {
      const api = await serve(() => undefined);
      const { token$ } = await warmTokens();
      const controller = new AbortController();
      const answered = make(token$, api.origin)(...give(`${api.origin}/`, controller.signal));
      await until(() => api.seen.length === 1);
      await collect();
      controller.abort(reason);
      expect(await end(answered)).toBe(reason);
      await until(() => api.cut.length === 1);
    });

    it.each(waysToGive)('should still be aborted after a redirect by the signal of %s', async (_name, give) => {
      const api = await serve(({ path }, response) => {
        if (path === '/') answer(response, 307, '', { location: '/there' });
      });
      const { token$ } = await warmTokens();
      const controller = new AbortController();
      const answered = make(token$, api.origin)(...give(`${api.origin}/`, controller.signal));
      await until(() => api.seen.length === 2);
      await collect();
      controller.abort(reason);
      expect(await end(answered)).toBe(reason);
      await until(() => api.cut.length === 1);
    });

    it.each(waysToGive)('should wait for a token no longer after an abort by the signal of %s', async (_name, give) => {
      const { token$ } = tokens({}, () => NEVER);
      const controller = new AbortController();
      const url = 'https://api.example.com';
      const answered = make(token$, url)(...give(`${url}/`, controller.signal));
      await collect();
      controller.abort(reason);
      expect(await end(answered)).toBe(reason);
    });

    it.each(waysToGive)('should have its body cut off by the signal of %s', async (_name, give) => {
      const api = await serve((_seen, response) => {
        response.writeHead(200);
        response.write('the beginning');
      });
      const { token$ } = await warmTokens();
      const controller = new AbortController();
      const reading = make(
        token$,
        api.origin,
      )(...give(`${api.origin}/`, controller.signal)).then(({ body }) =>
        firstValueFrom(from(body!.pipeThrough(new TextDecoderStream()) as AsyncIterable<string>).pipe(last())),
      );
      await until(() => api.seen.length === 1);
      await collect();
      controller.abort(reason);
      expect(await end(reading)).toBe(reason);
      await until(() => api.cut.length === 1);
    });
  });

  it('should keep nothing of a response that nobody reads', async () => {
    const api = await serve((_seen, response) => response.write('half'));
    const { token$ } = await warmTokens();
    const http = createHttpClient(token$, { baseUrl: api.origin });
    const { signal } = new AbortController();
    for (let n = 0; n < 5; n++) await firstValueFrom(http.request('/', { signal }));
    // More than once: what the last turn of the event loop held is collected by the next one.
    await until(async () => {
      await collect();
      return getEventListeners(signal, 'abort').length === 0;
    });
  });
});
