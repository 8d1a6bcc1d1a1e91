import { filter, firstValueFrom, map, of, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createFetch, createTokenStream, type TokenEndpointError } from 'rx-fresh-token';
import { openStream, setUp } from './rig.js';

describe('22: secrets', () => {
  it('22: an error of authorize does not carry the secret in its properties', async () => {
    const { inspect } = await import('node:util');
    const token$ = createTokenStream(() => of({ access_token: 'S3CR3T', expires_in: 30 }));
    const api = createFetch(token$, {
      baseUrl: 'https://api.example.com',
      authorize: (h, { value }) => {
        h.set('x', new URL(`::${value}`).href);
      },
    });
    const error = await api('/a').catch((e: unknown) => e);
    token$.close();
    expect(inspect(error)).not.toContain('S3CR3T');
  });

  it(
    'should not be in the event of a token that was rejected as a plain object',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }));
      const told: string[] = [];
      rig.token$.events.pipe(map((event) => JSON.stringify(event))).subscribe((line) => told.push(line));
      rig.ask(0, 'a');
      rig.at(10, () => {
        rig.token$.reject({ value: 'canary', type: 'Bearer' } as never);
      });
      rig.at(20, () => {
        rig.token$.reject({ value: 'T1', type: 'Bearer' } as never);
      });
      rig.at(30, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.events.filter((line) => line.includes('Rejected'))).toEqual([
        '10 tokenRejected canary alreadyReplaced',
        '20 tokenRejected T1 refreshing',
      ]);
      expect(told.join()).not.toMatch(/canary|"T1"/);
    }),
  );

  it('should not be printed of an error code that the token endpoint has put into a sentence', async () => {
    const { inspect } = await import('node:util');
    const token$ = createTokenStream(() => of(new Response('{"error":"no such token s3cr3t"}', { status: 400 })));
    const event = firstValueFrom(token$.events.pipe(filter(({ type }) => type === 'refreshFailed')));
    const error: unknown = await firstValueFrom(token$).catch((reason: unknown) => reason);
    const { cause } = error as { cause: TokenEndpointError };
    expect(JSON.stringify([await event, error, cause]) + inspect([await event, error])).not.toContain('s3cr3t');
    expect([cause.error, cause.message]).toEqual([
      'no such token s3cr3t',
      'the token endpoint answered 400 with an error',
    ]);
    token$.close();
  });

  it('22: should not be printed of a failed request that the error of a source holds', async () => {
    const { inspect } = await import('node:util');
    const error = Object.assign(new Error('Request failed with status code 401'), {
      status: 401,
      config: { data: 'client_secret=s3cr3t', headers: { authorization: 'Basic s3cr3t' } },
    });
    const token$ = createTokenStream(() => throwError(() => error));
    const event = firstValueFrom(token$.events.pipe(filter(({ type }) => type === 'refreshFailed')));
    const failure: unknown = await firstValueFrom(token$).catch((reason: unknown) => reason);
    expect({ ...(await event) }).toMatchObject({ error, message: error.message });
    const printed = inspect([await event, failure], { depth: 9 });
    expect(printed).toMatch(/cause: Error: Request failed with status code 401\n +at /);
    expect(printed + JSON.stringify([await event, failure])).not.toContain('s3cr3t');
    expect(failure).toMatchObject({ cause: error });
    token$.close();
  });

  it('should not be quoted of a referrer that cannot be parsed', async () => {
    const token$ = openStream(() => of({ access_token: 'T1', expires_in: 60 }));
    const failed: unknown = await createFetch(token$, { baseUrl: 'http://127.0.0.1:9' })('/', {
      referrer: 'http://[bad?key=canary',
    }).catch((error: unknown) => error);
    expect(failed).toEqual(new TypeError('the referrer cannot be parsed'));
    expect((failed as Error).cause).toBeUndefined();
  });
});
