import { firstValueFrom, NEVER, of } from 'rxjs';
import { createFetch, createHttpClient, createTokenStream } from 'rx-fresh-token';
import { PROOF } from '../../src/internal/sourceHooks.js';
import { answer, cleanUp, failureOf, fetches, pause, serve, tokens, until, warmTokens, type Api } from './support.js';

afterEach(cleanUp);

/** Answers `/orders` with a 303 to `/orders/7` once `meanwhile` is over; there, the statuses of `rejected` or 200. */
const serveOrders = (meanwhile: () => unknown, rejected: Record<string, number> = {}) =>
  serve(async ({ path, headers }, response) => {
    if (path === '/orders/7') answer(response, rejected[headers.authorization!.slice('Bearer '.length)] ?? 200, 'tea');
    else {
      await meanwhile();
      answer(response, 303, '', { location: '/orders/7' });
    }
  });
const sent = ({ seen }: Api) => seen.map(({ path, headers }) => `${path} ${headers.authorization!}`);
const post = { method: 'POST', body: 'tea' };

describe.each(fetches)('the token of a redirected request, over %s', (_name, fetch) => {
  it('should be the newest one', async () => {
    const { token$ } = await warmTokens();
    const api = await serveOrders(() => firstValueFrom(token$.refresh()));
    expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/orders', post)).status).toBe(200);
    expect(sent(api)).toEqual(['/orders Bearer T1', '/orders/7 Bearer T2']);
  });

  it('should be waited for when the one before it has expired', async () => {
    const { token$ } = tokens({}, async (_request, n) => {
      await pause(n === 1 ? 0 : 400);
      return { access_token: `T${String(n)}`, expires_in: n === 1 ? 0.2 : 3600 };
    });
    const api = await serveOrders(() => pause(300));
    expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/orders', post)).status).toBe(200);
    expect(sent(api)).toEqual(['/orders Bearer T1', '/orders/7 Bearer T2']);
  });

  it('should not be waited for after an abort', async () => {
    const { token$, asked } = tokens({}, (_request, n) =>
      n === 1 ? of({ access_token: 'T1', expires_in: 0.2 }) : NEVER,
    );
    const api = await serveOrders(() => pause(300));
    const controller = new AbortController();
    const { signal } = controller;
    const answered = createFetch(token$, { baseUrl: api.origin, fetch })('/orders', { ...post, signal });
    await until(() => asked.length === 2);
    await pause(400);
    const reason = new Error('the user left');
    controller.abort(reason);
    expect(await failureOf(answered)).toBe(reason);
    expect(sent(api)).toEqual(['/orders Bearer T1']);
  });

  it('should be the one that is refreshed when the server rejects it', async () => {
    const { token$, asked, events } = await warmTokens();
    const api = await serveOrders(() => (asked.length === 1 ? firstValueFrom(token$.refresh()) : null), { T2: 401 });
    expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/orders', post)).status).toBe(200);
    expect(sent(api)).toEqual(['/orders Bearer T1', '/orders/7 Bearer T2', '/orders/7 Bearer T3']);
    expect(events.flatMap((event) => (event.type === 'tokenRejected' ? [event.token.value] : []))).toEqual(['T2']);
  });

  it('should never be that of the next session', async () => {
    const { token$ } = await warmTokens();
    const api = await serveOrders(async () => {
      token$.signOut();
      await firstValueFrom(token$.refresh());
    });
    const failure = await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/orders', post));
    expect(failure).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' });
    expect(sent(api)).toEqual(['/orders Bearer T1']);
  });

  it('should stay while it is valid, though the stream was closed', async () => {
    const { token$ } = await warmTokens();
    const api = await serveOrders(() => {
      token$.close();
    });
    expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/orders', post)).status).toBe(200);
    expect(sent(api)).toEqual(['/orders Bearer T1', '/orders/7 Bearer T1']);
  });

  it('should be the one in its proof', async () => {
    let n = 0;
    const source = () => of({ access_token: `T${String(++n)}`, token_type: 'DPoP', expires_in: 3600 });
    const sign = ({ url, token }: { url: string; token: { value: string } }) =>
      Promise.resolve({ dpop: `${new URL(url).pathname} ${token.value}` });
    const proof = { sign, learn: () => Promise.resolve(false) };
    const token$ = createTokenStream(Object.assign(source, { [PROOF]: proof }));
    const api = await serveOrders(() => firstValueFrom(token$.refresh()));
    await createFetch(token$, { baseUrl: api.origin, fetch })('/orders', post);
    expect(api.seen.map(({ headers: { authorization, dpop } }) => [authorization, dpop])).toEqual([
      ['DPoP T1', '/orders T1'],
      ['DPoP T2', '/orders/7 T2'],
    ]);
    token$.close();
  });

  it('should be the newest one in the HTTP client, too', async () => {
    const { token$ } = await warmTokens();
    const api = await serveOrders(() => firstValueFrom(token$.refresh()));
    expect(await firstValueFrom(createHttpClient(token$, { baseUrl: api.origin, fetch }).post('/orders', 'tea'))).toBe(
      'tea',
    );
    expect(sent(api)).toEqual(['/orders Bearer T1', '/orders/7 Bearer T2']);
  });
});
