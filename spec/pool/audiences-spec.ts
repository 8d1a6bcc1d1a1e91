import { firstValueFrom, map } from 'rxjs';
import { isTokenError, takeToken, withToken, type TokenSource } from 'rx-fresh-token';
import { refreshToken, tokenExchange } from 'rx-fresh-token/oauth';
import { createTokenPool, type TokenPool, type TokenPoolOptions } from 'rx-fresh-token/pool';
import { clientOf, startAuthority } from '../oauth/authority.js';

interface Key {
  session: string;
  audience: string;
}

const AUDIENCES = ['urn:spec:stock', 'urn:spec:orders', 'urn:spec:mail'];
const dispose: TokenPool<Key>[] = [];
afterEach(() => {
  for (const pool of dispose.splice(0)) pool.close();
});

/**
 * A user who is signed in, at a server that rotates refresh tokens and revokes everything when a used one comes back.
 */
async function setUp(options: TokenPoolOptions<Key> & { delay?: number } = {}) {
  const { delay = 10, ...poolOptions } = options;
  const authority = await startAuthority({ delay });
  const vault = { refreshToken: await authority.seed({ resources: AUDIENCES }) };
  const pool = createTokenPool(
    ({ audience }: Key) =>
      refreshToken({
        ...clientOf(authority, 'app'),
        resource: audience,
        refreshToken: () => vault.refreshToken,
        onRotate: ({ refresh_token }) => {
          vault.refreshToken = refresh_token;
        },
      }),
    { chainOf: ({ session }) => session, ...poolOptions },
  );
  dispose.push(pool);
  const stream = (audience: string) => pool.get({ session: 's1', audience });
  return { authority, pool, stream };
}

const REJECTED = ['invalid_request', 'invalid_grant', 'invalid_token'];
const isSubjectRejected = (error: unknown) =>
  isTokenError(error, 'ERR_TOKEN_ENDPOINT') && REJECTED.includes(error.error ?? '');

const audienceOf = ({ value }: { value: string }): unknown =>
  (JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString()) as { aud: unknown }).aud;

describe('a token of a session that is exchanged for those of audiences', () => {
  it.each(['invalid_request', 'invalid_grant', 'invalid_token'])(
    'should be replaced if the server rejects it with %s, and exchanged again',
    async (code) => {
      const exchanged: (string | null)[] = [];
      const revoked = new Set<string | null>();
      const answer: typeof fetch = (_url, init) => {
        const subject = new URLSearchParams(init?.body as URLSearchParams).get('subject_token');
        exchanged.push(subject);
        const token = { access_token: `of ${subject!}`.replace(' ', '-'), token_type: 'Bearer', expires_in: 300 };
        return Promise.resolve(
          revoked.has(subject)
            ? Response.json({ error: code }, { status: 400 })
            : Response.json({ ...token, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }),
        );
      };
      let signIns = 0;
      const sessions = createTokenPool((session: string) => () => [
        { access_token: `${session}-${String(++signIns)}` },
      ]);
      // As in docs/pool.md.
      const audiences = createTokenPool(({ session, audience }: Key): TokenSource => {
        const exchange = tokenExchange({
          tokenEndpoint: 'https://id.example.com/token',
          clientId: 'portal',
          clientSecret: 'secret',
          fetch: answer,
          audience,
          subjectToken: () => takeToken(sessions.get(session)).pipe(map((token) => token.value)),
        });
        return (request) =>
          sessions
            .get(session)
            .pipe(withToken(() => exchange(request), { key: audience, isRejection: isSubjectRejected }));
      });
      const stock$ = audiences.get({ session: 's', audience: 'stock' });
      const first = await firstValueFrom(takeToken(stock$));
      revoked.add('s-1');
      stock$.reject(first);
      expect((await firstValueFrom(takeToken(stock$))).value).toBe('of-s-2');
      expect(exchanged).toEqual(['s-1', 's-1', 's-2']);
      audiences.close();
      sessions.close();
    },
  );
});

describe('one refresh token for several audiences', () => {
  it('should be one chain: all are asked for at once, again and again, and nobody is signed out', async () => {
    const { authority, stream } = await setUp();
    for (let round = 0; round < 3; round++) {
      const tokens = await Promise.all(AUDIENCES.map((audience) => firstValueFrom(stream(audience).refresh())));
      expect(tokens.map(audienceOf)).toEqual(AUDIENCES);
    }
    expect(await authority.stats()).toMatchObject({ tokens: 9, refused: [], revokedGrants: 0 });
  });

  it('should be taken for theft without the chain, or this spec shows nothing', async () => {
    const { authority, stream } = await setUp({ chainOf: undefined });
    await Promise.allSettled(AUDIENCES.map((audience) => firstValueFrom(takeToken(stream(audience)))));
    expect((await authority.stats()).revokedGrants).toBeGreaterThan(0);
  });

  it('should be one chain also for a stream that was dropped, and that somebody holds', async () => {
    const { authority, stream } = await setUp({ max: 1 });
    const held$ = stream('urn:spec:stock');
    await firstValueFrom(takeToken(held$));
    await firstValueFrom(takeToken(stream('urn:spec:orders')));
    await Promise.all([held$, stream('urn:spec:stock')].map((token$) => firstValueFrom(token$.refresh())));
    expect(await authority.stats()).toMatchObject({ tokens: 4, refused: [], revokedGrants: 0 });
    held$.close();
  });

  it('should not be lost with an exchange whose stream is closed meanwhile: the next one waits for it', async () => {
    const { authority, pool, stream } = await setUp({ delay: 100 });
    const leaving = firstValueFrom(takeToken(stream('urn:spec:stock')));
    const next = firstValueFrom(takeToken(stream('urn:spec:orders')));
    await new Promise((resolve) => setTimeout(resolve, 50));
    pool.delete({ session: 's1', audience: 'urn:spec:stock' });
    await expect(leaving).rejects.toMatchObject({ code: 'ERR_TOKEN_STREAM_CLOSED' });
    expect(audienceOf(await next)).toBe('urn:spec:orders');
    expect(await authority.stats()).toMatchObject({ tokens: 2, refused: [], revokedGrants: 0 });
  });

  it('should end for all audiences with a sign-out of one', async () => {
    const { authority, pool, stream } = await setUp();
    await Promise.all(AUDIENCES.map((audience) => firstValueFrom(takeToken(stream(audience)))));
    const told: string[] = [];
    pool.events.subscribe(({ key, type }) => told.push(`${key.audience} ${type}`));
    pool.delete({ session: 's1', audience: 'urn:spec:stock' }, { signOut: true });
    expect(told.filter((line) => line.endsWith('signedOut')).sort()).toEqual(
      AUDIENCES.map((audience) => `${audience} signedOut`).sort(),
    );
    expect(stream('urn:spec:mail').current).toBeNull();
    await expect(firstValueFrom(takeToken(stream('urn:spec:mail')))).rejects.toThrow();
    expect((await authority.stats()).tokens).toBe(3);
  });
});
