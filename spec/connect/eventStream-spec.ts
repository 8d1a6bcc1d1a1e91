import { firstValueFrom, lastValueFrom, NEVER, of } from 'rxjs';
import { createTokenStream, type TokenStream } from 'rx-fresh-token';
import { eventStream, type EventStreamOptions } from 'rx-fresh-token/connect';

const baseUrl = 'https://api.example';
const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

let token$: TokenStream;
let fetched = 0;
beforeEach(() => {
  fetched = 0;
  token$ = createTokenStream(() => of({ access_token: `secret-${++fetched}`, expires_in: 30 }));
});
afterEach(() => token$.close());

interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly signal: AbortSignal | null | undefined;
}

const events = (text: string, init: ResponseInit = {}) =>
  new Response(text, { headers: { 'content-type': 'text/event-stream' }, ...init });

/** One chunk of the body after the other. */
const chunked = (texts: readonly string[]) =>
  new Response(
    new ReadableStream({
      start: (controller) => {
        for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  );

/** Answers in order; after the last one nothing comes. Tells what was sent, emitted and how it ended. */
async function run(answers: (Response | Error)[], options: EventStreamOptions = {}, url = '/events?q=secret') {
  const sent: Sent[] = [];
  const seen: unknown[] = [];
  let failure: unknown;
  const fetch = ((input: string, { headers, signal }: RequestInit) => {
    sent.push({ url: input, headers: new Headers(headers), signal });
    const answer = answers[sent.length - 1] ?? new Promise<Response>(() => undefined);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }) as typeof globalThis.fetch;
  const reconnect = { initial: 0 };
  const running = eventStream(token$, url, { baseUrl, fetch, reconnect, ...options }).subscribe({
    next: (event) => seen.push(event),
    error: (error: unknown) => (failure = error),
    complete: () => seen.push('complete'),
  });
  // Until nothing happens any more. On a busy machine, time passes without a turn of the event loop: turns are counted.
  for (let quiet = 0; quiet < 10; quiet++) {
    const before = sent.length;
    await wait(6);
    if (sent.length > before) quiet = -1;
  }
  running.unsubscribe();
  return { sent, seen, failure };
}

it('should ask for events with the token, and emit them with the last id', async () => {
  const { sent, seen } = await run([
    events('id: 7\nevent: order\ndata: a\ndata: b\n\n: beat\n\ndata: c\n\ndata: cut off'),
  ]);
  expect(seen).toEqual([
    { id: '7', event: 'order', data: 'a\nb' },
    { id: '7', event: 'message', data: 'c' },
  ]);
  expect(
    sent.map(({ headers }) => [headers.get('authorization'), headers.get('accept'), headers.get('last-event-id')]),
  ).toEqual([
    ['Bearer secret-1', 'text/event-stream', null],
    ['Bearer secret-1', 'text/event-stream', '7'],
  ]);
});

it('should free the connection of an answer that is no event stream, if the fetch has another signal', async () => {
  let isCancelled = false;
  const body = new ReadableStream({ cancel: () => void (isCancelled = true) });
  await run([new Response(body, { headers: { 'content-type': 'text/html' } })]);
  expect(isCancelled).toBe(true);
});

it('should keep the id over connections that bring no event, in UTF-8', async () => {
  const { sent } = await run([
    events('id: ✓\ndata: a\n\n'),
    new TypeError('fetch failed'),
    events(''),
    events('data: b\n\n'),
  ]);
  const utf8 = (text: string | null) => Buffer.from(text ?? '', 'latin1').toString();
  expect(sent.map(({ headers }) => utf8(headers.get('last-event-id')))).toEqual(['', '✓', '✓', '✓', '✓']);
});

it.each([
  ['gives another', 'id: 6\ndata: a\n\n', '6'],
  ['gives none', 'data: a\n\n', '✓5'],
  ['resets it', 'id:\ndata: a\n\n', ''],
  ['resets it without data', 'id:\n\ndata: a\n\n', ''],
])('should begin with the Last-Event-ID of the caller, until the server %s', async (_what, body, next) => {
  const { sent, seen } = await run([events(body), events('')], { headers: { 'Last-Event-ID': '✓5', 'x-a': 'b' } });
  const utf8 = (text: string | null) => Buffer.from(text ?? '', 'latin1').toString();
  expect(sent.map(({ headers }) => utf8(headers.get('last-event-id')))).toEqual(['✓5', next, next]);
  expect(sent.map(({ headers }) => headers.get('x-a'))).toEqual(['b', 'b', 'b']);
  expect(seen).toEqual([{ id: next, event: 'message', data: 'a' }]);
});

it.each([
  ['text', '✓größe'],
  ['bytes, as a server received them', Buffer.from('✓größe').toString('latin1')],
])('should send the Last-Event-ID of the caller in UTF-8 once: given as %s', async (_what, id) => {
  const { sent } = await run([events('')], { headers: { 'Last-Event-ID': id } });
  expect(Buffer.from(sent[0]?.headers.get('last-event-id') ?? '', 'latin1').toString()).toBe('✓größe');
});

it.each([
  ['LF', ['id: 6\n\n']],
  ['CR, cut anywhere', ['id: 6', '\r', '\r']],
  ['CRLF, cut anywhere', ['data: a\r\n\r\nid:', ' 6\r', '\n\r', '\n']],
  ['LF, after a comment', [': beat\n\n\nevent: order\nid: 6\n', '\nid: 7\ndata: cut off\n']],
])('should take over an id without data, and emit no event of it: lines end with %s', async (_name, chunks) => {
  const { sent, seen } = await run([events(chunks.join('')), chunked(chunks)]);
  expect(sent.slice(1).map(({ headers }) => headers.get('last-event-id'))).toEqual(['6', '6']);
  expect(seen).toHaveLength(chunks.join('').includes('data: a') ? 2 : 0);
});

it('should emit an event whose data is empty, and keep each line of it', async () => {
  const { seen } = await run([events('data\n\ndata:\ndata: \n\n\n\ndata: a\ndata:\n\n')]);
  expect(seen).toMatchObject([{ data: '' }, { data: '\n' }, { data: 'a\n' }]);
});

it('should ignore an id that no header can carry, and send one of any length', async () => {
  const long = 'x'.repeat(500_000);
  const { sent } = await run([events('id: 5\ndata: a\n\nid: 6\x01\ndata: b\n\n'), events(`id: ${long}\ndata: c\n\n`)]);
  expect(sent.slice(0, 3).map(({ headers }) => headers.get('last-event-id'))).toEqual([null, '5', long]);
});

it.each([
  ['CR', ['data: a\r\rdata: b\r', 'data: c\r', '\r']],
  ['CRLF, cut anywhere', ['data: a\r', '\n\r', '\ndata: b\r\n', 'data: c', '\r', '', '\n\r\n']],
  ['CRLF, with an empty chunk in it', ['data: a\r\n\r\ndata: b\r', '', '\ndata: c\r\n\r\n']],
  ['LF', ['data: a\n', '\ndata: b\ndata: c\n', '\n']],
])('should end a line at %s, without waiting for what follows', async (_name, chunks) => {
  let push: ((text: string) => void) | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      push = (text) => controller.enqueue(new TextEncoder().encode(text));
    },
  });
  const running = run([new Response(body, { headers: { 'content-type': 'text/event-stream' } })]);
  for (const chunk of chunks) push?.(chunk);
  const { seen } = await running;
  expect(seen).toMatchObject([{ data: 'a' }, { data: 'b\nc' }]);
});

it('should connect again after an error whose body does not end', async () => {
  const silent = new Response(new ReadableStream(), { status: 503 });
  const answers = [silent, events('data: a\n\n')];
  const fetch = () => Promise.resolve(answers.shift() ?? Response.error());
  const reconnect = { initial: 0 };
  const event = await firstValueFrom(eventStream(token$, '/events', { baseUrl, fetch, reconnect }));
  expect(event.data).toBe('a');
});

it('should wait for retry: before it connects again', async () => {
  const { sent } = await run([events('retry: 60000\ndata: a\n\n')]);
  expect(sent).toHaveLength(1);
});

it('should replace a rejected token, and not send it again', async () => {
  const { sent, failure } = await run([new Response('', { status: 401 }), events('data: a\n\n')]);
  expect(sent.slice(0, 2).map(({ headers }) => headers.get('authorization'))).toEqual([
    'Bearer secret-1',
    'Bearer secret-2',
  ]);
  expect(failure).toBeUndefined();
});

it('should replace a rejected token for others, though isFinal ends the stream', async () => {
  const { sent, failure } = await run([new Response('', { status: 401 })], { isFinal: () => true });
  expect([sent.length, fetched, failure]).toEqual([1, 2, expect.objectContaining({ status: 401 })]);
});

it('should replace a token that only isRejection finds rejected', async () => {
  const isRejection = (end: unknown) => (end as { status?: number } | null)?.status === 419;
  const { sent, failure } = await run([new Response('', { status: 419 }), events('data: a\n\n')], { isRejection });
  expect(sent.slice(0, 2).map(({ headers }) => headers.get('authorization'))).toEqual([
    'Bearer secret-1',
    'Bearer secret-2',
  ]);
  expect(failure).toBeUndefined();
});

it('should end with a 403 that is no rejection by isRejection', async () => {
  const { sent, failure } = await run([new Response('', { status: 403 })], { isRejection: () => false });
  expect([sent.length, failure]).toEqual([1, expect.objectContaining({ code: 'ERR_HTTP_STATUS' })]);
});

it.each<[string, Response[], string]>([
  ['a completion, which the default is not', [events('data: a\n\n')], 'complete'],
  ['a status that the default knows', [new Response('', { status: 404 })], 'ERR_HTTP_STATUS'],
])('should end after %s, by an isFinal that adds to the default', async (_what, answers, end) => {
  const isFinal = (reason: unknown, byDefault: boolean) => byDefault || reason === null;
  const { sent, seen, failure } = await run(answers, { isFinal });
  expect([sent.length, (failure as { code?: string } | undefined)?.code ?? seen.at(-1)]).toEqual([1, end]);
});

it('should take one token for each connection, if a token is for a single use', async () => {
  const single$ = createTokenStream(() => of({ access_token: `secret-${++fetched}`, expires_in: 0 }));
  const sent: (string | null)[] = [];
  const fetch = (_url: unknown, init?: RequestInit) => {
    sent.push(new Headers(init?.headers).get('authorization'));
    return Promise.resolve(sent.length < 2 ? events('data: a\n\n') : new Response(null, { status: 204 }));
  };
  await lastValueFrom(eventStream(single$, '/events', { baseUrl, fetch, reconnect: { initial: 0 } }));
  single$.close();
  expect([sent, fetched]).toEqual([['Bearer secret-1', 'Bearer secret-2'], 2]);
});

it('should complete with status 204', async () => {
  const { sent, seen } = await run([new Response(null, { status: 204 })]);
  expect([sent.length, seen]).toEqual([1, ['complete']]);
});

it.each([
  [
    'a status that a repeat does not mend',
    () => new Response('', { status: 404 }),
    'GET https://api.example/events answered 404',
  ],
  [
    'insufficient scope',
    () => new Response('', { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } }),
    'GET https://api.example/events answered 403',
  ],
  [
    'insufficient scope, told with 401',
    () => new Response('', { status: 401, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } }),
    'GET https://api.example/events answered 401',
  ],
  [
    'what is no event stream',
    () => new Response('<html>'),
    'GET https://api.example/events answered 200: the response is no event stream',
  ],
  [
    'a fetch that does not stream, as that of React Native',
    () => Object.defineProperty(events('data: a\n\n'), 'body', { value: undefined }),
    'GET https://api.example/events answered 200: this fetch gives no body to read',
  ],
  [
    'an event that is too long',
    () => events(`data: ${'x'.repeat(16 * 1024 * 1024)}`),
    'GET https://api.example/events answered 200: an event is too long',
  ],
])('should end with %s', async (_name, answer, message) => {
  const { sent, failure } = await run([answer()]);
  expect(failure).toMatchObject({ code: 'ERR_HTTP_STATUS', message });
  expect(sent).toHaveLength(1);
});

it.each([409, 410, 412])(
  'should end with status %i, after which only a token endpoint is asked again',
  async (status) => {
    const { sent, failure } = await run([new Response('', { status })]);
    expect(sent).toHaveLength(1);
    expect(failure).toMatchObject({ status });
  },
);

it.each([429, 500, 503])('should connect again after status %i', async (status) => {
  const { sent, failure } = await run([new Response('', { status })]);
  expect([sent.length, failure]).toEqual([2, undefined]);
});

it.each([
  [403, { 'retry-after': '0' }],
  [404, { 'retry-after': '0' }],
  [403, { 'x-ratelimit-remaining': '0' }],
])('should connect again after status %i that asks for another try: %j', async (status, headers) => {
  const { sent, failure } = await run([new Response('', { status, headers })]);
  expect(sent.map((each) => each.headers.get('authorization'))).toEqual(['Bearer secret-1', 'Bearer secret-1']);
  expect(failure).toBeUndefined();
});

it('should end with status 204 although a rate limit is used up', async () => {
  const { sent, seen } = await run([new Response(null, { status: 204, headers: { 'ratelimit-remaining': '0' } })]);
  expect([sent.length, seen]).toEqual([1, ['complete']]);
});

it('should connect again after a response without content', async () => {
  const { sent, failure } = await run([new Response(null, { headers: { 'content-type': 'text/event-stream' } })]);
  expect([sent.length, failure]).toEqual([2, undefined]);
});

it('should abort the request when the subscriber leaves', async () => {
  const { sent } = await run([]);
  expect(sent[0]?.signal?.aborted).toBe(true);
});

it.each<[string, () => unknown, string]>([
  [
    'an origin that is not allowed',
    () => eventStream(token$, 'https://elsewhere.example/?q=secret', { baseUrl }),
    'the token may not go to https://elsewhere.example: it is not in allowedOrigins',
  ],
  [
    'a relative URL without a base',
    () => eventStream(token$, '/events'),
    'the URL cannot be parsed: it must be absolute, as there is no base URL',
  ],
  [
    'headers',
    () => eventStream(token$, '/', { baseUrl, headers: 1 as never }),
    'option "headers" must be headers as fetch takes them, got number',
  ],
  [
    'a header that cannot be sent',
    () => eventStream(token$, '/', { baseUrl, headers: { 'x-user': 'Łukasz' } }),
    'option "headers" must be headers as fetch takes them: "x-user" cannot be sent',
  ],
  [
    'reconnect',
    () => eventStream(token$, '/', { baseUrl, reconnect: { max: -1 } }),
    'option "reconnect.max" must be a number, at least 0, finite, got -1',
  ],
  ['fetch', () => eventStream(token$, '/', { baseUrl, fetch: 1 as never }), 'option "fetch" must be a function, got 1'],
  [
    'no token stream',
    () => eventStream(NEVER as never, '/', { baseUrl }),
    'token$ must be a stream made by createTokenStream',
  ],
])('should refuse at creation: %s', (_name, create, message) => {
  expect(create).toThrow(message);
});
