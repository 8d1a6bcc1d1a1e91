/** The part of `storeContract` about what a store says of its tokens. */
import { firstValueFrom, of, timer } from 'rxjs';
import type { TokenResponse } from '../../token/types.js';
import { demand, equal, slowFetch, tokenOf, valueOf, type Checks, type Fetch } from './checkContext.js';

/** What is known of a token that is handed out: its age, its end, the response. */
export const TOKEN_CHECKS: Checks = {
  'should not hand out an expired token': async (stores, { ask, source }) => {
    const [first, second, third] = stores;
    const brief: Fetch = () => of({ access_token: 'brief', expires_in: 0.2 });
    equal(valueOf(await ask(first, 'initial', null, brief)), 'brief', 'the token');
    await firstValueFrom(timer(400));
    for (const store of [second, third, first])
      demand(valueOf(await ask(store)) !== 'brief', 'an expired token was handed out');
    demand(source.fetched >= 1, 'nobody fetched');
  },

  'should not underestimate the age of a token': async ([first, second], { ask }) => {
    const asked = performance.now();
    const mine = await ask(first, 'initial', null, slowFetch);
    demand(mine.age >= 290, `fetched in 300 ms, but of age ${String(mine.age)}`);
    await firstValueFrom(timer(100));
    const before = performance.now();
    const shared = await ask(second);
    // A store may add what its answers take, twice at most: it does not know at which moment of them its clock was
    // read.
    demand(
      shared.age >= 390 && shared.age <= 2 * (performance.now() - asked) + 50,
      `of age ${String(shared.age)} after ${String(Math.round(before - asked))} ms`,
    );
  },

  'should tell the others of a new token, if it tells at all': async ([first, second], { ask, eventually, heard }) => {
    if (!second.changes) return;
    const told = heard(second.changes);
    const own = heard(first.changes);
    const isTold = (value: string) => told.some((one) => valueOf(one) === value);
    let token = await ask(first);
    await eventually(async () => {
      // The first tells the second as soon as the second listens; when that is cannot be known.
      if (told.length === 0) token = await ask(first, 'scheduled', tokenOf(token));
      demand(told.length > 0, 'no other store was told of a new token');
    });
    await eventually(() => demand(isTold(valueOf(token)), 'no other store was told of the newest token'));
    for (const { origin, age } of told)
      demand(origin === 'shared' && age >= 0, 'what others fetched is shared, and of some age');
    // It knows how old a token is that took its time: asked for 300 ms ago, it is no younger.
    await ask(first, 'scheduled', tokenOf(token), slowFetch);
    await eventually(() => demand(isTold('slow'), 'no other store was told of the second new token'));
    for (const { age } of told.filter((one) => valueOf(one) === 'slow'))
      demand(age >= 290, `fetched in 300 ms, but told of at the age of ${String(age)}`);
    demand(own.length === 0, '`changes` emitted a token that the store fetched itself');
  },

  'should hand the source the last response, if it hands it anything': async ([first, second], { ask }) => {
    const handed: unknown[] = [];
    const rotating: Fetch = (last) => {
      handed.push(last);
      const n = String(handed.length);
      return of({ access_token: `A${n}`, refresh_token: `R${n}`, expires_in: 3600 });
    };
    const old = tokenOf(await ask(first, 'initial', null, rotating));
    await ask(second, 'scheduled', old, rotating);
    if (handed[0] === undefined && handed[1] === undefined) return;
    demand(handed[0] === null, 'an empty store handed over something else than null');
    equal((handed[1] as TokenResponse | null)?.refresh_token, 'R1', 'the refresh token handed over');
  },
};
