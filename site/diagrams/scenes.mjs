import { VirtualTimeScheduler, tap } from 'rxjs';
import { createTokenStream, takeToken, withToken } from 'rx-fresh-token';
import { fakeTokenSource, scriptedApi } from 'rx-fresh-token/testing';

/** One column of a picture. Milliseconds. */
export const UNIT = 1000;

/** How long a scene lasts. Columns. */
export const COLUMNS = 25;

/** Tokens live ten columns, and are renewed two columns before they expire. */
const LIFETIME = 10 * UNIT;

/** The parts of a scene: a stream in virtual time, and a lane for whatever is watched. */
function stage({ steps, options } = {}) {
  const scheduler = new VirtualTimeScheduler();
  const lanes = [];
  const fake = fakeTokenSource({ scheduler, latency: UNIT, lifetime: LIFETIME, names: (n) => `T${n}`, steps });
  const endpoint = lane('token endpoint');
  const source = (request) => {
    endpoint.mark('?');
    // A fetch that is given up fails without a status.
    return fake(request).pipe(tap({ error: ({ status }) => status && endpoint.mark(String(status)) }));
  };
  const token$ = createTokenStream(source, {
    scheduler,
    jitter: 0,
    random: () => 1,
    refreshBefore: 2 * UNIT,
    backoff: { initial: 2 * UNIT, factor: 1 },
    ...options,
  });
  const api = scriptedApi({ scheduler, tokens: fake, delay: UNIT });

  function lane(title) {
    const marks = [];
    const mark = (label) => marks.push({ at: scheduler.now(), label });
    lanes.push({ title, marks });
    return { mark };
  }

  /** Runs at a column. */
  const at = (column, action) => scheduler.schedule(action, column * UNIT - scheduler.now());

  /** A subscriber of the stream itself. */
  const listen = (from, to) => {
    const { mark } = lane('token$');
    at(from, () => {
      const subscription = token$.subscribe({ next: ({ value }) => mark(value), error: () => mark('#') });
      at(to, () => subscription.unsubscribe());
    });
  };

  /** A request by `withToken`: the token that it is sent with, and the answer. */
  const request = (title, columns) => {
    const { mark } = lane(title);
    for (const column of columns)
      at(column, () =>
        withToken(token$, (token) => {
          mark(token.value);
          return api.send(token).pipe(tap({ error: ({ status }) => mark(String(status)) }));
        }).subscribe({ next: () => mark('200'), error: () => undefined }),
      );
  };

  return {
    api,
    token$,
    at,
    listen,
    request,
    lane,
    /** Plays the scene, and returns what happened. */
    play: () => {
      at(COLUMNS, () => token$.close());
      scheduler.flush();
      return lanes.map(({ title, marks }) => ({ title, marks: marks.filter(({ at }) => at < COLUMNS * UNIT) }));
    },
  };
}

/** Each scene is run when it is drawn: a picture shows what the library does. */
export const scenes = {
  renewal: () => {
    const { listen, request, play } = stage();
    listen(0, COLUMNS);
    request('GET /orders', [4, 10, 15, 22]);
    return play();
  },
  'cold-start': () => {
    const { request, play } = stage({ options: { idleTimeout: 0 } });
    for (const [name, columns] of [
      ['GET /a', [2]],
      ['GET /b', [2]],
      ['GET /c', [5, 16]],
    ])
      request(name, columns);
    return play();
  },
  rejection: () => {
    const { api, at, listen, request, play } = stage();
    listen(0, COLUMNS);
    at(4, () => api.revoke('T1'));
    request('GET /a', [5]);
    request('GET /b', [5, 12]);
    return play();
  },
  outage: () => {
    const { listen, request, play } = stage({
      steps: ['token', 'transient', 'transient', 'token'],
      options: { refreshBefore: 5 * UNIT },
    });
    listen(0, COLUMNS);
    request('GET /orders', [5, 8, 13]);
    return play();
  },
  'sign-out': () => {
    const { token$, at, lane, play } = stage({ options: { idleTimeout: 0 } });
    const { mark } = lane('takeToken');
    const take = () => takeToken(token$).subscribe({ next: ({ value }) => mark(value), error: () => mark('×') });
    const signOuts = lane('signOut()');
    const signOut = () => {
      signOuts.mark('!');
      token$.signOut();
    };
    at(2, take);
    at(5, take);
    at(7, signOut);
    at(9, take);
    at(19, take);
    at(19.5, signOut);
    at(22, take);
    return play();
  },
};
