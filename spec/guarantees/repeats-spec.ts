import { firstValueFrom, map, NEVER, of, throwError, timer } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createFetch, createTokenStream, withToken, type AccessToken } from 'rx-fresh-token';
import { answer, openStream, setUp, subscribeUntil } from './rig.js';

describe('16: a repeat', () => {
  it('should free the connection of the Response that nobody will read', async () => {
    let n = 0;
    const cancelled: number[] = [];
    const token$ = openStream(() => of({ access_token: `T${String(++n)}`, expires_in: 60 }));
    const send = (status: number) =>
      new Response(new ReadableStream({ cancel: () => void cancelled.push(status) }), { status });
    const response = await firstValueFrom(withToken(token$, ({ value }) => of(send(value === 'T1' ? 401 : 200))));
    expect(response.status).toBe(200);
    expect(cancelled).toEqual([401]);
  });

  it('should free it too where the client throws an error that has the response', async () => {
    let n = 0;
    const cancelled: number[] = [];
    const token$ = openStream(() => of({ access_token: `T${String(++n)}`, expires_in: 60 }));
    const response = new Response(new ReadableStream({ cancel: () => void cancelled.push(401) }), { status: 401 });
    const send = ({ value }: AccessToken) =>
      value === 'T1' ? throwError(() => Object.assign(new Error('401'), { response })) : of(value);
    expect(await firstValueFrom(withToken(token$, send))).toBe('T2');
    expect(cancelled).toEqual([401]);
  });

  it('should free it too where the caller leaves during the refresh', () => {
    let n = 0;
    const cancelled: number[] = [];
    const token$ = openStream(() => (++n === 1 ? of({ access_token: 'T1', expires_in: 60 }) : NEVER));
    const rejected = new Response(new ReadableStream({ cancel: () => void cancelled.push(401) }), { status: 401 });
    withToken(token$, () => of(rejected))
      .subscribe()
      .unsubscribe();
    expect(cancelled).toEqual([401]);
  });
});

describe('16, 17 and 34: tokens and resources that were rejected', () => {
  it(
    '16: a token that was rejected, was replaced, and comes again does not go with the repeat',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, life: n === 1 ? 0 : 30, value: 'T1' }), { idleTimeout: 0 });
      const sent: string[] = [];
      rig.at(0, () => {
        rig.tell(
          'a',
          withToken(rig.token$, ({ value }) => of(answer(sent.push(value) && 403))),
        );
      });
      m.flush();
      expect(sent).toEqual(['T1']);
      expect(rig.log).toEqual(['1000 a 403']);
    }),
  );

  it('17: a forbidden resource with a stream body costs at most one refresh per token lifetime', async () => {
    let n = 0;
    const token$ = createTokenStream(() => of({ access_token: `T${++n}`, expires_in: 30 }));
    const api = createFetch(token$, { baseUrl: 'https://api.example.com', fetch: () => Promise.resolve(answer(403)) });
    for (let i = 0; i < 5; i++)
      await api('/a', { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit);
    token$.close();
    expect(n).toBeLessThanOrEqual(2);
  });

  it(
    '17: nor when refresh() overtakes its first repeat',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 100 }));
      subscribeUntil(rig, 8000);
      const call = (took: number) => () =>
        withToken(rig.token$, ({ value }) => timer(value === 'T1' ? 100 : took).pipe(map(() => answer(403))), {
          key: 'K',
        }).subscribe();
      rig.at(1000, call(5000));
      rig.at(1500, () => rig.token$.refresh().subscribe());
      rig.at(2000, call(100));
      m.flush();
      expect(rig.asked.filter((e) => e.endsWith('rejected'))).toHaveLength(1);
    }),
  );

  it(
    '34: an explicitly rejected token that the issuer gives again after its successor serves',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, value: ['T1', 'T2', 'T1', 'T3'][n - 1] ?? `T${n}` }));
      subscribeUntil(rig, 40_000);
      rig.tell('s', rig.token$);
      rig.at(1000, () => rig.token$.reject(rig.token$.current!));
      m.flush();
      expect(rig.log).toEqual(['0 s T1', '1000 s T2', '26000 s T1']);
    }),
  );
});
