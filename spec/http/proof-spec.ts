import { Readable } from 'node:stream';
import { firstValueFrom, NEVER, of, type ObservableInput } from 'rxjs';
import {
  createFetch,
  createHttpClient,
  createTokenStream,
  type AccessToken,
  type TokenRequest,
  type TokenResponse,
  type TokenSource,
  type TokenStreamOptions,
} from 'rx-fresh-token';
import { redirectPolicy } from '../../src/http/transport.js';
import { ON_CLOSE, PROOF } from '../../src/internal/hiddenMembers.js';
import type { ProvenRequest, SourceHooks, TokenProof } from '../../src/token/sourceHooks.js';
import { answer, cleanUp, failureOf, fetches, serve, stubFetch, type Handler } from './support.js';

const streams: { close(): void }[] = [];
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  await cleanUp();
});

/** A key whose proofs can be read: `#n nonce method url token`. */
function key() {
  const signed: ProvenRequest[] = [];
  const learnt: [request: ProvenRequest, status: number][] = [];
  let nonce = '-';
  const proof: TokenProof = {
    sign: async (request) => {
      await Promise.resolve();
      return {
        dpop: `#${String(signed.push(request))} ${nonce} ${request.method} ${request.url} ${request.token.value}`,
      };
    },
    learn: async (request, { status, headers }) => {
      await Promise.resolve();
      learnt.push([request, status]);
      nonce = headers.get('dpop-nonce') ?? nonce;
      return status === 401 && (headers.get('www-authenticate') ?? '').includes('use_dpop_nonce');
    },
  };
  return { proof, signed, learnt };
}

function bound(
  hooks: SourceHooks,
  options: TokenStreamOptions = {},
  reply?: (n: number) => ObservableInput<TokenResponse>,
) {
  const asked: TokenRequest[] = [];
  const source: TokenSource = (request) => {
    const n = asked.push(request);
    return reply?.(n) ?? of({ access_token: `T${String(n)}`, token_type: 'DPoP', expires_in: 3600 });
  };
  const token$ = createTokenStream(Object.defineProperties(source, Object.getOwnPropertyDescriptors(hooks)), options);
  streams.push(token$);
  return { token$, asked };
}

const challenge = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'N1' };
/** Wants a nonce in each proof. */
const nonceWanting: Handler = ({ headers, body }, response) => {
  if (String(headers.dpop).includes('N1')) answer(response, 200, body.toString());
  else answer(response, 401, 'nonce', challenge);
};

describe.each(fetches)('requests bound to the key of the source, over %s', (_name, fetch) => {
  it('should carry a proof of their method, URL and token, beside the token and the headers of the caller', async () => {
    const { proof, learnt } = key();
    const { token$ } = bound({ [PROOF]: proof });
    const api = await serve((_seen, response) => {
      answer(response, 200, 'done');
    });
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    for (const headers of [{ 'X-Trace': '7' }, new Headers({ 'X-Trace': '7' })])
      expect(await (await fetchWithToken('/a?b=c', { method: 'put', headers })).text()).toBe('done');
    expect(api.seen.map(({ headers }) => [headers.authorization, headers['x-trace'], headers.dpop])).toEqual([
      ['DPoP T1', '7', `#1 - PUT ${api.origin}/a?b=c T1`],
      ['DPoP T1', '7', `#2 - PUT ${api.origin}/a?b=c T1`],
    ]);
    expect(learnt.map(([{ url, token }, status]) => [url, token.value, status])).toEqual([
      [`${api.origin}/a?b=c`, 'T1', 200],
      [`${api.origin}/a?b=c`, 'T1', 200],
    ]);
  });

  it.each(['patch', 'PATCH', 'Report'])(
    'should be sent with the method that was signed, though fetch sends it as it was written: %s',
    async (method) => {
      const { proof } = key();
      const { token$ } = bound({ [PROOF]: proof });
      const api = await serve((seen, response) => {
        answer(response, 200, seen.method);
      });
      const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
      const sent = method.toUpperCase();
      expect(await (await fetchWithToken('/a', { method })).text()).toBe(sent);
      expect(api.seen[0]?.headers.dpop).toBe(`#1 - ${sent} ${api.origin}/a T1`);
    },
  );

  it('should be signed and sent again once for a server that wants a nonce, without a refresh', async () => {
    const { proof } = key();
    const { token$, asked } = bound({ [PROOF]: proof });
    const api = await serve(nonceWanting);
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    expect(await (await fetchWithToken('/a', { method: 'POST', body: 'order' })).text()).toBe('order');
    expect(api.seen.map(({ headers, body }) => [headers.dpop, body.toString()])).toEqual([
      [`#1 - POST ${api.origin}/a T1`, 'order'],
      [`#2 N1 POST ${api.origin}/a T1`, 'order'],
    ]);
    expect(asked).toHaveLength(1);
    // The nonce is known now.
    expect((await fetchWithToken('/b')).status).toBe(200);
    expect(api.seen).toHaveLength(3);
  });

  it('should not ask a third time when the nonce is rejected too, and the token is not to blame', async () => {
    const { proof, learnt } = key();
    const { token$, asked } = bound({ [PROOF]: proof });
    const api = await serve((_seen, response) => {
      answer(response, 401, `no ${String(api.seen.length)}`, challenge);
    });
    const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/a');
    expect([response.status, await response.text()]).toEqual([401, 'no 2']);
    expect(api.seen.map(({ headers }) => headers.authorization)).toEqual(['DPoP T1', 'DPoP T1']);
    expect(new Set(api.seen.map(({ headers }) => headers.dpop)).size).toBe(2);
    expect(learnt.map(([{ token }]) => token.value)).toEqual(['T1', 'T1']);
    expect(asked.map(({ reason }) => reason)).toEqual(['initial']);
  });

  it('should be signed anew, for the new token, when they are repeated after a refresh', async () => {
    const { proof } = key();
    const { token$, asked } = bound({ [PROOF]: proof });
    const api = await serve(({ headers }, response) => {
      answer(response, headers.authorization === 'DPoP T2' ? 200 : 401);
    });
    expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/a')).status).toBe(200);
    expect(api.seen.map(({ headers }) => headers.dpop)).toEqual([
      `#1 - GET ${api.origin}/a T1`,
      `#2 - GET ${api.origin}/a T2`,
    ]);
    expect(asked).toHaveLength(2);
  });

  it('should be signed for each hop of a redirect on the origin, and for none beyond it', async () => {
    const { proof } = key();
    const { token$ } = bound({ [PROOF]: proof });
    const elsewhere = await serve((_seen, response) => {
      answer(response, 200);
    });
    const api = await serve(({ path }, response) => {
      answer(response, 307, '', { location: path === '/a' ? '/b' : `${elsewhere.origin}/c` });
    });
    expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/a')).status).toBe(200);
    expect(api.seen.map(({ headers }) => headers.dpop)).toEqual([
      `#1 - GET ${api.origin}/a T1`,
      `#2 - GET ${api.origin}/b T1`,
    ]);
    expect(elsewhere.seen.map(({ headers }) => [headers.dpop, headers.authorization])).toEqual([
      [undefined, undefined],
    ]);
  });

  it('should not be sent again with a body that can be read once', async () => {
    const { proof, learnt } = key();
    const { token$, asked } = bound({ [PROOF]: proof });
    const api = await serve(nonceWanting);
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    const once = () =>
      ({
        method: 'POST',
        body: fetch ? Readable.from(['once']) : new Blob(['once']).stream(),
        duplex: 'half',
      }) as unknown as RequestInit;
    const rejection = await fetchWithToken('/a', once());
    expect([rejection.status, await rejection.text()]).toEqual([401, 'nonce']);
    expect(api.seen.map(({ body }) => body.toString())).toEqual(['once']);
    // Yet the nonce is learnt, for the next one.
    expect(learnt).toHaveLength(1);
    expect(await (await fetchWithToken('/a', once())).text()).toBe('once');
    expect(api.seen).toHaveLength(2);
    // The token was never to blame.
    expect(asked).toHaveLength(1);
  });

  it('should fail with the error of a key that cannot sign, and send nothing', async () => {
    const mistake = new Error('no key');
    const { token$ } = bound({ [PROOF]: { sign: () => Promise.reject(mistake), learn: () => Promise.resolve(false) } });
    const api = await serve(() => undefined);
    for (let i = 0; i < 2; i++)
      expect(await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/a'))).toBe(mistake);
    expect(api.seen).toHaveLength(0);
  });
});

describe('requests bound to the key of the source', () => {
  it('should be signed when they are made of a Request, and send its body again', async () => {
    const { proof } = key();
    const { token$ } = bound({ [PROOF]: proof });
    const api = await serve(nonceWanting);
    const request = new Request(`${api.origin}/a`, { method: 'POST', body: 'order', headers: { 'x-trace': '7' } });
    expect(await (await createFetch(token$, { baseUrl: api.origin })(request)).text()).toBe('order');
    expect(api.seen.map(({ headers, body }) => [headers['x-trace'], headers.dpop, body.toString()])).toEqual([
      ['7', `#1 - POST ${api.origin}/a T1`, 'order'],
      ['7', `#2 N1 POST ${api.origin}/a T1`, 'order'],
    ]);
  });

  it('should be signed when a custom authorize places the token', async () => {
    const { proof } = key();
    const { token$ } = bound({ [PROOF]: proof });
    const { fetch, calls } = stubFetch(200);
    const authorize = (headers: Headers, token: AccessToken) => {
      headers.set('x-token', token.value);
    };
    await createFetch(token$, { baseUrl: 'https://api.example.com', fetch, authorize })('/a');
    expect(Object.fromEntries(calls[0]!.headers)).toEqual({
      'x-token': 'T1',
      dpop: '#1 - GET https://api.example.com/a T1',
    });
  });

  it('should be signed when they come from the client', async () => {
    const { proof } = key();
    const { token$ } = bound({ [PROOF]: proof });
    const { fetch, calls } = stubFetch(() => new Response('{}'));
    await firstValueFrom(createHttpClient(token$, { baseUrl: 'https://api.example.com', fetch }).patch('/a', { b: 1 }));
    expect(calls[0]!.headers.get('dpop')).toBe('#1 - PATCH https://api.example.com/a T1');
  });

  it('should not be signed where the token does not go: a header of the caller, the source itself', async () => {
    const { proof, signed, learnt } = key();
    const { fetch, calls } = stubFetch(() => Response.json({ access_token: 'T1', token_type: 'DPoP', expires_in: 60 }));
    const { token$ } = bound({ [PROOF]: proof }, {}, () =>
      fetchWithToken('/token').then((response) => response.json() as Promise<TokenResponse>),
    );
    const fetchWithToken = createFetch(token$, { baseUrl: 'https://api.example.com', fetch });
    await fetchWithToken('/a', { headers: { authorization: 'Basic mine' } });
    expect([signed.length, learnt.length]).toEqual([0, 0]);
    await fetchWithToken('/b');
    expect(calls.map(({ headers }) => headers.has('dpop'))).toEqual([false, false, true]);
  });

  it('should be aborted while the proof is made', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const { token$ } = bound({
      [PROOF]: {
        sign: () => {
          controller.abort(reason);
          return Promise.resolve({ dpop: 'x' });
        },
        learn: () => Promise.resolve(false),
      },
    });
    const api = await serve(() => undefined);
    expect(await failureOf(createFetch(token$, { baseUrl: api.origin })('/a', { signal: controller.signal }))).toBe(
      reason,
    );
    expect(api.seen).toHaveLength(0);
  });
});

describe('what a source does when the stream closes', () => {
  const closing = (options?: TokenStreamOptions, reply?: (n: number) => ObservableInput<TokenResponse>) => {
    const onClose = jest.fn<undefined, [AccessToken | null, AbortSignal?]>();
    return { ...bound({ [ON_CLOSE]: onClose }, options, reply), onClose };
  };

  it('should be done once, with the last token', async () => {
    const { token$, onClose } = closing();
    await firstValueFrom(token$);
    await firstValueFrom(token$.refresh());
    expect(onClose).not.toHaveBeenCalled();
    token$.close();
    token$.close();
    token$[Symbol.dispose]();
    expect(onClose.mock.calls.map(([token]) => token?.value)).toEqual(['T2']);
  });

  it('should be told of the request under way, which aborts right after', async () => {
    const { token$, asked, onClose } = closing({}, (n) => (n === 1 ? of({ access_token: 'T1' }) : NEVER));
    await firstValueFrom(token$);
    token$.refresh().subscribe({ error: () => undefined });
    const aborted: unknown[] = [];
    onClose.mockImplementation((_token, pending) => void aborted.push(pending?.aborted));
    token$.close();
    const pending = onClose.mock.calls[0]?.[1];
    expect(pending).toBe(asked[1]?.signal);
    expect([...aborted, pending?.aborted]).toEqual([false, true]);
  });

  it('should be told of no request when none is under way', async () => {
    const { token$, onClose } = closing();
    await firstValueFrom(token$);
    token$.close();
    expect(onClose.mock.calls[0]?.[1]).toBeUndefined();
  });

  it('should be given a token that is over or rejected too, so that it can be revoked', async () => {
    const { token$, onClose } = closing({}, (n) => (n === 1 ? of({ access_token: 'T1' }) : NEVER));
    token$.reject(await firstValueFrom(token$));
    expect(token$.current).toBeNull();
    token$.close();
    expect(onClose.mock.calls.map(([token]) => token?.value)).toEqual(['T1']);
  });

  it('should be done with null when there never was a token', () => {
    const { token$, onClose } = closing();
    token$.close();
    expect(onClose.mock.calls).toEqual([[null]]);
  });

  it('should not be done again by a watcher that closes the stream when it closes', () => {
    const { token$, onClose } = closing();
    token$.events.subscribe(() => {
      token$.close();
    });
    token$.close();
    expect(onClose).toHaveBeenCalledTimes(1);
  });
});

it('should be told to the redirects, since a browser would carry a proof to another URL', async () => {
  const { proof } = key();
  const { token$ } = bound({ [PROOF]: proof });
  const mode = jest.spyOn(redirectPolicy, 'mode');
  await createFetch(token$, { baseUrl: 'https://api.example.com', fetch: stubFetch(200).fetch })('/');
  expect(mode.mock.calls).toEqual([[false]]);
  mode.mockRestore();
});
