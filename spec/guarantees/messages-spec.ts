/* eslint rxjs-x/throw-error: off -- sources throw what they like */
import { firstValueFrom, throwError } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createTokenStream, takeToken, TokenEndpointError, type TokenEvent } from 'rx-fresh-token';
import { openStream, setUp } from './rig.js';

describe('39: whoever logs only a message, or JSON, learns the reason', () => {
  const reasons: { name: string; fail: unknown; reason: string }[] = [
    { name: 'a failure of the network', fail: new TypeError('fetch failed'), reason: 'fetch failed' },
    {
      name: 'a rejection of the token endpoint',
      fail: new TokenEndpointError('the token endpoint answered 401 with the error invalid_client', { status: 401 }),
      reason: 'the token endpoint answered 401 with the error invalid_client',
    },
    { name: 'several lines', fail: new Error('no\n  route'), reason: 'no route' },
    {
      name: 'the query of a URL, which may be a secret',
      fail: new Error('GET https://a/b?code=SECRET'),
      reason: 'GET https://a/b',
    },
    { name: 'a string', fail: 'down', reason: 'down' },
  ];

  cases(
    'from the message of a TokenUnavailableError',
    (m, { fail, reason }) => {
      const { token$, at } = setUp(m, () => ({ took: 0, fail }), {
        isPermanent: (error) => error instanceof TokenEndpointError,
      });
      const messages: string[] = [];
      const print = ({ message }: Error) => messages.push(message);
      at(0, () => takeToken(token$, { maxWait: 100 }).subscribe({ error: print }));
      m.flush();
      expect(messages).toEqual([
        expect.stringMatching(/^(the token source failed permanently|no usable token within 100 ms): /),
      ]);
      expect(messages[0]!.endsWith(`: ${reason}`)).toBe(true);
    },
    reasons,
  );

  cases(
    'from the message of a refreshFailed, as JSON',
    (m, { fail, reason }) => {
      const { token$, at } = setUp(m, () => ({ took: 0, fail }));
      const events: TokenEvent[] = [];
      token$.events.subscribe((event) => events.push(event));
      at(0, () => takeToken(token$, { maxWait: 10 }).subscribe({ error: () => undefined }));
      m.flush();
      const printed = JSON.parse(JSON.stringify(events.find(({ type }) => type === 'refreshFailed'))) as object;
      expect(printed).toMatchObject({ type: 'refreshFailed', message: reason });
      expect(JSON.stringify(events)).not.toContain('code=SECRET');
    },
    reasons,
  );

  it('from an error as JSON', async () => {
    const fail = new TokenEndpointError('the token endpoint answered 401', { status: 401, error: 'invalid_client' });
    const token$ = openStream(() => throwError(() => fail));
    const error: unknown = await firstValueFrom(takeToken(token$)).catch((failure: unknown) => failure);
    expect(JSON.parse(JSON.stringify({ error }))).toEqual({
      error: {
        name: 'TokenUnavailableError',
        code: 'ERR_TOKEN_UNAVAILABLE',
        message: 'the token source failed permanently: the token endpoint answered 401',
        cause: 'the token endpoint answered 401',
      },
    });
    expect(JSON.parse(JSON.stringify(fail))).toEqual({
      name: 'TokenEndpointError',
      code: 'ERR_TOKEN_ENDPOINT',
      message: 'the token endpoint answered 401',
      status: 401,
      error: 'invalid_client',
    });
    token$.close();
  });
});

it(
  '39: refresh() without an answer says that there is no new token, if the token at hand is usable',
  marbles((m) => {
    const { token$, at, ask } = setUp(m, (n) => (n === 1 ? { took: 0 } : { took: 0, fail: { status: 503 } }), {
      maxWait: 5000,
    });
    const messages: string[] = [];
    ask(0, 'a');
    // The second when the token is over.
    for (const ms of [1000, 26_000])
      at(ms, () => token$.refresh().subscribe({ error: (error: unknown) => messages.push((error as Error).message) }));
    at(60_000, () => token$.close());
    m.flush();
    expect(messages).toEqual(['no new token within 5000 ms: 503', 'no usable token within 5000 ms: 503']);
  }),
);

it('39: an option that does not exist is named', () => {
  expect(() => createTokenStream(() => [], { refreshMargin: 5 } as never)).toThrow(
    new TypeError('unknown option "refreshMargin"'),
  );
});
