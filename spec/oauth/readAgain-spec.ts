import { ask, fakeEndpoint, refuse } from './fakeEndpoint.js';
import { create, used } from './refreshTokenSource.js';

/** A function `refreshToken` that gives one value after the other, and then the last one again. */
const reading = (...values: string[]) => {
  const left = [...values];
  return jest.fn((): string => (left.length > 1 ? left.shift() : left[0]) ?? '');
};

/** Refuses each refresh token but `new`. */
const onlyNew = (answer: () => Response) =>
  fakeEndpoint(({ form }) => (form.refresh_token === 'new' ? { access_token: 'T' } : answer()));

type Case = [name: string, status: number, body: unknown];

/** What servers answer to a refresh token that was used, expired or revoked, without saying so. */
const UNCLEAR: Case[] = [
  ['invalid_request', 400, { error: 'invalid_request' }],
  ['invalid_request by 401', 401, { reason: 'Invalid request!', error: 'invalid_request' }],
  ['access_denied', 400, { status: 'BAD_HUB', error: 'access_denied', message: 'hub is disabled' }],
  ['unauthorized_client', 401, { error: 'unauthorized_client', error_description: 'Unauthorized' }],
  ['a code of its own', 401, { error: 'token_rejected' }],
  ['no code', 403, { message: 'Forbidden' }],
  ['no body', 400, undefined],
  // Logins that are not OAuth.
  ['not found', 404, { message: 'Not Found' }],
  ['the route of Fastify', 404, { message: 'Route POST:/auth/refresh-token not found', error: 'Not Found' }],
  ['a conflict', 409, { message: 'session has moved' }],
  ['gone', 410, undefined],
  ['the status of Laravel', 419, { message: 'CSRF token mismatch.' }],
  ['unprocessable', 422, { errors: [{ detail: 'token' }] }],
  ['the status of IIS', 440, undefined],
  ['the status of ArcGIS', 498, { message: 'Invalid token.' }],
];

/** What has nothing to do with the refresh token, or asks for another try with the same one. */
const ELSEWHERE: Case[] = [
  ['invalid_client', 401, { error: 'invalid_client' }],
  ['invalid_scope', 400, { error: 'invalid_scope' }],
  ['unsupported_grant_type', 400, { error: 'unsupported_grant_type' }],
  ['temporarily_unavailable', 400, { error: 'temporarily_unavailable' }],
  ['a rate limit', 429, { error: 'invalid_request' }],
  ['a failure of the server', 503, undefined],
];

const responseOf = (status: number, body: unknown) => (body ? Response.json(body, { status }) : refuse(status));

describe('a refresh token that a function reads', () => {
  it.each(UNCLEAR)('should be read again after a refusal that names no reason: %s', async (_name, status, body) => {
    const endpoint = onlyNew(() => responseOf(status, body));
    const reauthenticate = jest.fn();
    const source = create(endpoint, { refreshToken: reading('old', 'new'), reauthenticate });
    await expect(ask(source)).resolves.toEqual({ access_token: 'T' });
    expect(used(endpoint)).toEqual(['old', 'new']);
    expect(reauthenticate).not.toHaveBeenCalled();
  });

  it.each(UNCLEAR)(
    'should not be sent again if it is the same, nor replaced by a sign-in: %s',
    async (_name, status, body) => {
      const endpoint = onlyNew(() => responseOf(status, body));
      const [read, reauthenticate] = [reading('old'), jest.fn()];
      await expect(ask(create(endpoint, { refreshToken: read, reauthenticate }))).rejects.toMatchObject({ status });
      expect([used(endpoint), read.mock.calls.length]).toEqual([['old'], 2]);
      expect(reauthenticate).not.toHaveBeenCalled();
    },
  );

  it.each(ELSEWHERE)(
    'should not be read again after a failure that it did not cause: %s',
    async (_name, status, body) => {
      const read = reading('old', 'new');
      await expect(
        ask(
          create(
            onlyNew(() => responseOf(status, body)),
            { refreshToken: read },
          ),
        ),
      ).rejects.toMatchObject({ status });
      expect(read).toHaveBeenCalledTimes(1);
    },
  );

  it.each([
    ['the one before: where it is stored, the new one may not have arrived', reading('r1', 'r2')],
    ['the first: nobody tells the function of a new one', reading('r1')],
  ])('should not be sent if it is %s', async (_what, read) => {
    const endpoint = fakeEndpoint((_seen, index) =>
      index < 2 ? { access_token: 'T', refresh_token: `r${String(index + 2)}` } : refuse(400, 'invalid_request'),
    );
    const source = create(endpoint, { refreshToken: read, onRotate: () => Promise.resolve() });
    for (let i = 0; i < 2; i++) await ask(source);
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_request' });
    expect(used(endpoint)).toEqual(['r1', 'r2', 'r3']);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('should not be sent if it is the first, however many have replaced it', async () => {
    const endpoint = fakeEndpoint((_seen, index) =>
      index < 101 ? { access_token: 'T', refresh_token: `r${String(index + 2)}` } : refuse(400, 'invalid_request'),
    );
    const source = create(endpoint, { refreshToken: reading('r1') });
    for (let i = 0; i < 101; i++) await ask(source);
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_request' });
    expect(used(endpoint).slice(101)).toEqual(['r102']);
  });

  it('should not be sent if it is the last that could be stored', async () => {
    const endpoint = fakeEndpoint((_seen, index) =>
      index < 4 ? { access_token: 'T', refresh_token: `r${String(index + 2)}` } : refuse(400, 'invalid_request'),
    );
    const stored: string[] = ['r1'];
    const source = create(endpoint, {
      refreshToken: () => stored.at(-1) ?? '',
      onRotate: ({ refresh_token }) => {
        if (refresh_token > 'r3') throw new Error('the disk is full');
        stored.push(refresh_token);
      },
    });
    for (let i = 0; i < 4; i++) await ask(source);
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_request' });
    expect(used(endpoint)).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
  });

  it('should not count as stored if that has failed, though an object in memory has it', async () => {
    const endpoint = fakeEndpoint((_seen, index) =>
      index === 1 ? refuse(400, 'invalid_request') : { access_token: 'T', refresh_token: 'r2' },
    );
    const session = { token: 'r1' };
    const saved: string[] = [];
    const source = create(endpoint, {
      refreshToken: () => session.token,
      onRotate: ({ refresh_token }) => {
        session.token = refresh_token;
        if (endpoint.seen.length === 1) throw new Error('the database is down');
        saved.push(refresh_token);
      },
    });
    await ask(source);
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_request' });
    await ask(source);
    expect([used(endpoint), saved]).toEqual([['r1', 'r2', 'r2'], ['r2']]);
  });

  it('should not be read after such a refusal if the store of the stream has another one: it may be used', async () => {
    const read = reading('r1');
    const source = create(
      onlyNew(() => refuse(400, 'invalid_request')),
      { refreshToken: read },
    );
    await expect(ask(source, { last: { access_token: 'T', refresh_token: 'r5' } })).rejects.toMatchObject({
      error: 'invalid_request',
    });
    expect(read).not.toHaveBeenCalled();
  });

  it('should be read after a refusal that asks for a sign-in, also if the store of the stream has another one', async () => {
    const endpoint = onlyNew(() => refuse(400, 'invalid_grant'));
    const source = create(endpoint, { refreshToken: reading('new') });
    await expect(ask(source, { last: { access_token: 'T', refresh_token: 'r5' } })).resolves.toMatchObject({
      access_token: 'T',
    });
    expect(used(endpoint)).toEqual(['r5', 'new']);
  });

  it('should not be sent twice if it is the one that was refused', async () => {
    const endpoint = onlyNew(() => refuse(400, 'invalid_grant'));
    const source = create(endpoint, { refreshToken: reading('r5') });
    await expect(ask(source, { last: { access_token: 'T', refresh_token: 'r5' } })).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(used(endpoint)).toEqual(['r5']);
  });
});
