/** The part of `storeContract` about fetching: never two fetches where one is enough. */
import { firstValueFrom, NEVER, Subject, throwError, timer } from 'rxjs';
import type { RefreshReason, TokenResponse } from '../../token/types.js';
import {
  demand,
  equal,
  heldByAll,
  NO_ANSWER,
  slowFetch,
  tokenOf,
  valueOf,
  type Check,
  type Checks,
  type Fetch,
} from './checkContext.js';

/** Who fetches, who is answered with what, and what follows a failure. */
export const FETCH_CHECKS: Checks = {
  'should fetch once for all who ask at once': async (stores, { ask, source }) => {
    const answers = await Promise.all(stores.map((store) => ask(store)));
    equal(source.fetched, 1, 'fetches');
    equal(new Set(answers.map(valueOf)).size, 1, 'different tokens');
    equal(answers.filter(({ origin }) => origin === 'fetched').length, 1, 'answers that claim to be fetched');
  },

  'should hand what is there to those who come later': async ([first, ...others], { ask, source }) => {
    const token = await ask(first);
    for (const store of others) equal(valueOf(await ask(store)), valueOf(token), 'the token');
    equal(source.fetched, 1, 'fetches');
  },

  'should replace a token once, however many ask: scheduled': replacesOnce('scheduled'),
  'should replace a token once, however many ask: expired': replacesOnce('expired'),
  'should replace a token once, however many ask: manual': replacesOnce('manual'),
  'should replace a rejected token once, however many ask': replacesOnce('rejected'),

  'should answer the rejection of a token that was replaced before with its successor, without a fetch': async (
    stores,
    { ask, source },
  ) => {
    const old = await heldByAll(stores, ask);
    const [first, ...others] = stores;
    const next = await ask(first, 'scheduled', old);
    for (const store of others) equal(valueOf(await ask(store, 'rejected', old)), valueOf(next), 'the token');
    equal(source.fetched, 2, 'fetches');
  },

  'should keep a rejected token from newcomers while its replacement is fetched': async (
    [first, second],
    { ask, inTime, begin },
  ) => {
    const old = tokenOf(await ask(first));
    const { answer$ } = await begin(first, slowFetch(), 'rejected', old);
    await firstValueFrom(timer(100));
    const answer = await ask(second);
    await inTime(answer$);
    demand(valueOf(answer) !== old.value, 'the rejected token was handed out');
  },

  'should hand out a rejected token again, after the fetches of its replacement failed': async (
    [first, second, third],
    { ask, eventually },
  ) => {
    const old = tokenOf(await ask(first));
    const down: Fetch = () => throwError(() => new Error('the token endpoint is down'));
    for (const store of [first, second]) await ask(store, 'rejected', old, down).catch(() => undefined);
    equal(valueOf(await ask(third, 'initial', null, down)), old.value, 'the token');
    const answer = await eventually(() => ask(third, 'rejected', old));
    demand(valueOf(answer) !== old.value, 'the rejected token was handed out to a caller that wants another one');
  },

  'should fail with what the fetch failed with, and not keep that for ever': async (
    [first, second],
    { ask, eventually },
  ) => {
    const failure = new Error('the token endpoint is down');
    const thrown: unknown = await ask(first, 'initial', null, () => throwError(() => failure)).then(
      () => undefined,
      (error: unknown) => error,
    );
    demand(thrown === failure, 'the refresh did not fail with the failure of its fetch');
    await eventually(() => ask(second));
  },

  'should answer those who wait, if the fetch fails: by another fetch, or by a failure': async (
    [first, second],
    { ask, eventually, begin },
  ) => {
    const response = new Subject<TokenResponse>();
    await begin(first, response);
    const waiting = ask(second).catch((error: unknown) => {
      // After any other failure the stream asks again.
      if ((error as Error).message === NO_ANSWER) throw error;
    });
    await firstValueFrom(timer(100));
    response.error(new Error('the token endpoint is down'));
    await waiting;
    await eventually(() => ask(second));
  },

  'should let another take over from one who left': async ([first, second], { ask, eventually, begin }) => {
    const { leave } = await begin(first, NEVER);
    leave();
    await eventually(() => ask(second));
  },
};

function replacesOnce(reason: RefreshReason): Check {
  return async (stores, { ask, source }) => {
    const old = await heldByAll(stores, ask);
    const answers = await Promise.all(stores.map((store) => ask(store, reason, old)));
    for (const answer of answers)
      demand(valueOf(answer) !== old.value, 'the token to be replaced was handed out as its own successor');
    equal(source.fetched, 2, 'fetches');
    equal(new Set(answers.map(valueOf)).size, 1, 'different tokens');
  };
}
