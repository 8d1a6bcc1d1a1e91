import { cases, marbles, type Context } from 'rxjs-marbles/jest';
import { createTokenStream, withToken, type TokenStreamOptions, type WithTokenOptions } from 'rx-fresh-token';
import {
  eventMarbles,
  fakeTokenSource,
  scriptedApi,
  tokenMarbles,
  virtualClock,
  type FakeTokenSourceOptions,
  type ScriptedApiOptions,
} from 'rx-fresh-token/testing';

type ApiOptions = Omit<ScriptedApiOptions, 'tokens' | 'responses'>;

/** Tokens of 20 ms that take 2 and are renewed at 15, and an API that answers within 3: diagrams that fit on a line. */
function kit(source: FakeTokenSourceOptions = {}, stream: TokenStreamOptions = {}, api: ApiOptions = {}) {
  const tokens = fakeTokenSource({ latency: 2, lifetime: 20, ...source });
  const server = scriptedApi({ tokens, delay: 3, ...api });
  const token$ = createTokenStream(tokens, {
    refreshBefore: 5,
    expiryMargin: 1,
    jitter: 0,
    random: () => 1,
    idleTimeout: 0,
    ...stream,
  });
  return {
    token$,
    source: tokens,
    api: server,
    call: (path = '/', options: WithTokenOptions = {}) =>
      tokenMarbles(withToken(token$, (token) => server.send(token, path), options)),
    asked: () => tokens.calls.map(({ at, reason }) => `${at} ${reason}`),
    sent: () => server.calls.map(({ at, token }) => `${at} ${String(token)}`),
    verify: () => {
      tokens.verify();
      server.verify();
    },
  };
}

const when = (m: Context, marks: string, act: () => void) => m.cold(marks).subscribe(act);

describe('the guarantees, told with the kit', () => {
  cases(
    '1: lead time',
    (m, { latency, lifetime, subscribed, tokens }) => {
      const { token$, verify } = kit({ latency, lifetime }, { refreshBefore: undefined, expiryMargin: undefined });
      m.expect(tokenMarbles(token$), subscribed).toBeObservable(tokens);
      m.flush();
      verify();
    },
    [
      {
        name: 'a token of 30 s is renewed at 25 s',
        latency: 200,
        lifetime: 30_000,
        subscribed: '^ 26s !',
        tokens: '200ms a 24999ms b',
      },
      {
        name: 'a token of an hour at 55 min',
        latency: 200,
        lifetime: 3_600_000,
        subscribed: '^ 56m !',
        tokens: '200ms a 3299999ms b',
      },
      {
        name: 'a token of 1 s that takes 0.4 s at 0.5 s',
        latency: 400,
        lifetime: 1000,
        subscribed: '^  1s !',
        tokens: '400ms a 499ms b',
      },
    ],
  );

  it(
    '2: a life counts from the call, however long that takes',
    marbles((m) => {
      const { token$ } = kit({ latency: 9, steps: ['token', 'hang'] });
      const user = '  ^--------------------!';
      const tokens = '---------a------------';
      const events = 's--------c-----s----x ';
      m.expect(eventMarbles(token$.events), user).toBeObservable(events);
      m.expect(tokenMarbles(token$), user).toBeObservable(tokens);
    }),
  );

  it(
    '4: a request goes on using a token that is being renewed, and waits only at its very end',
    marbles((m) => {
      const { call, token$, asked, sent, verify } = kit({ latency: (n) => (n === 1 ? 2 : 7) });
      const user = '  ^-----------------------!   ';
      const tokens = '--a-------------------b--   ';
      const soon = '  ----------------^           ';
      const usesA = ' -------------------(a|)     ';
      const late = '  -------------------^        ';
      const waits = ' -------------------------(b|)';
      m.expect(tokenMarbles(token$), user).toBeObservable(tokens);
      m.expect(call(), soon).toBeObservable(usesA);
      m.expect(call(), late).toBeObservable(waits);
      m.flush();
      expect(asked()).toEqual(['0 initial', '15 scheduled']);
      expect(sent()).toEqual(['16 a', '22 b']);
      verify();
    }),
  );

  it(
    '5: neither a sleeping machine nor a clock set back lengthens a life',
    marbles((m) => {
      for (const fault of ['sleep', 'setBack'] as const) {
        const clock = virtualClock(m.scheduler);
        const { call, api } = kit({ now: clock.serverNow }, { now: clock.now });
        const first = '  ^                         ';
        const answer = ' -----(a|)                 ';
        const wrong = '  ----------x               ';
        const second = ' --------------^           ';
        const asleep = ' -------------------(b|)   ';
        const third = '  --------------------^     ';
        const setBack = '-------------------------(b|)';
        when(m, wrong, () => {
          clock[fault](60_000);
        });
        m.expect(call(), first).toBeObservable(answer);
        if (fault === 'sleep') m.expect(call(), second).toBeObservable(asleep);
        else m.expect(call(), third).toBeObservable(setBack);
        when(m, '30ms x', () => {
          api.verify();
        });
      }
    }),
  );

  it(
    '6: the cache outlives the last subscriber, and an idle stream costs nothing',
    marbles((m) => {
      const { call, token$, source, verify } = kit({ maxCalls: 1 });
      const first = ' ^               ';
      const answer = '-----(a|)       ';
      const second = '----------^     ';
      const again = ' -------------(a|)';
      const events = 's-c------------i----x';
      m.expect(eventMarbles(token$.events)).toBeObservable(events);
      m.expect(call(), first).toBeObservable(answer);
      m.expect(call(), second).toBeObservable(again);
      when(m, '60m x', () => {
        expect(source.calls).toHaveLength(1);
      });
      m.flush();
      verify();
    }),
  );

  it(
    '8: 500 cold starts are one fetch',
    marbles((m) => {
      const { call, verify } = kit({ maxCalls: 1 });
      for (let i = 0; i < 500; i++) m.expect(call()).toBeObservable('-----(a|)');
      m.flush();
      verify();
    }),
  );

  it(
    '9: whoever leaves, leaves alone',
    marbles((m) => {
      const { call, source, verify } = kit({ maxCalls: 1 });
      const leaves = '^!      ';
      const silent = '--      ';
      const stays = ' ^       ';
      const answer = '-----(a|)';
      m.expect(call(), leaves).toBeObservable(silent);
      m.expect(call(), stays).toBeObservable(answer);
      m.flush();
      expect(source.calls).toMatchObject([{ outcome: 'token' }]);
      verify();
    }),
  );

  it(
    '11: a failed renewal is invisible while the token lives',
    marbles((m) => {
      const { call, token$, verify } = kit(
        { lifetime: 300, steps: ['token', 'transient'] },
        { refreshBefore: 100, backoff: { initial: 60 } },
      );
      const user = '  ^     299ms                      !';
      const tokens = '2ms a 251ms                  b     ';
      const events = 's-c   197ms s-f 49ms       s-c     ';
      m.expect(eventMarbles(token$.events), user).toBeObservable(events);
      m.expect(tokenMarbles(token$), user).toBeObservable(tokens);
      m.expect(call(), '230ms ^').toBeObservable('233ms (a|)');
      m.flush();
      verify();
    }),
  );

  it(
    '12: a permanent failure fails everyone at once, and is not tried again for one backoff step; success heals',
    marbles((m) => {
      const { call, token$, asked, verify } = kit({ steps: ['permanent'] }, { backoff: { initial: 60, max: 60 } });
      const failed = '--#';
      m.expect(tokenMarbles(token$)).toBeObservable(failed, undefined, 'ERR_TOKEN_UNAVAILABLE');
      m.expect(call()).toBeObservable('             --#', undefined, 'ERR_TOKEN_UNAVAILABLE');
      m.expect(call(), '61ms ^').toBeObservable('61ms #', undefined, 'ERR_TOKEN_UNAVAILABLE');
      m.expect(call(), '62ms ^').toBeObservable('67ms (a|)');
      m.flush();
      expect(asked()[1]).toBe('62 initial');
      verify();
    }),
  );

  it(
    '12: requests wait for the next attempts, up to maxWait',
    marbles((m) => {
      const { call } = kit(
        { steps: ['transient', 'transient', 'transient'] },
        { backoff: { initial: 50, max: 50 }, maxWait: 120 },
      );
      m.expect(call('/', { maxWait: 60 })).toBeObservable('60ms #', undefined, 'ERR_TOKEN_UNAVAILABLE');
      m.expect(call()).toBeObservable('120ms #', undefined, 'ERR_TOKEN_UNAVAILABLE');
      m.expect(call('/', { maxWait: 200 })).toBeObservable('161ms (a|)');
    }),
  );

  it(
    '15: refusals at once cost one refresh, and a late one none',
    marbles((m) => {
      const { call, api, asked, sent, verify } = kit({ lifetime: 1000 }, {}, { delay: (n) => (n === 3 ? 9 : 3) });
      const warm = '    ^';
      const answer = '  -----(a|)';
      const revoke = '  ---------x';
      const one = '     ----------^';
      const another = ' -----------^';
      const late = '    ------------^';
      m.expect(call(), warm).toBeObservable(answer);
      when(m, revoke, () => {
        api.revoke('a');
      });
      m.expect(call(), one).toBeObservable('    ------------------(b|)');
      m.expect(call(), another).toBeObservable('-----------------------(b|)');
      m.expect(call(), late).toBeObservable('   ------------------(b|)');
      m.flush();
      expect(asked()).toEqual(['0 initial', '13 rejected']);
      expect(sent()).toEqual(['2 a', '10 a', '11 a', '12 a', '15 b', '15 b', '20 b']);
      verify();
    }),
  );

  it(
    '16: a request is repeated once, and the second refusal is the caller’s',
    marbles((m) => {
      const { call, asked, sent, verify } = kit({ lifetime: 1000 }, {}, { steps: [401, 401] });
      m.expect(call()).toBeObservable('----------#', undefined, '401'); // 2 sent, 5 refused, 7 a new token, 10 refused
      m.flush();
      expect(asked()).toEqual(['0 initial', '5 rejected']);
      expect(sent()).toEqual(['2 a', '7 b']);
      verify();
    }),
  );

  it(
    '17: a forbidden resource costs one refresh, and the next refusal is passed on at once',
    marbles((m) => {
      const { call, api, asked, verify } = kit({ lifetime: 1000 }, {}, { maxCalls: 3 });
      api.forbid('/admin');
      const admin = () => call('/admin', { key: 'GET /admin' });
      const first = ' ^           ';
      const twice = ' ----------# '; // 2 sent, 5 refused, 7 a new token, 10 refused
      const second = '-----------^ ';
      const once = '  --------------#';
      m.expect(admin(), first).toBeObservable(twice, undefined, '403');
      m.expect(admin(), second).toBeObservable(once, undefined, '403');
      m.flush();
      expect(asked()).toEqual(['0 initial', '5 rejected']);
      verify();
    }),
  );

  it(
    '18: rejections force no more refreshes than the budget allows',
    marbles((m) => {
      const { call, token$, asked, api } = kit(
        { lifetime: 1000 },
        { rejectionBudget: { max: 1, per: 1000 } },
        { steps: [401, 'ok', 401] },
      );
      m.expect(call(), '      ^').toBeObservable('         ----------(b|)');
      m.expect(call(), '      --------------------^').toBeObservable('-----------------------#', undefined, '401');
      when(m, '30ms x', () => {
        token$.close();
      });
      m.flush();
      expect(asked()).toEqual(['0 initial', '5 rejected']);
      api.verify();
    }),
  );

  cases(
    '19: meanwhile other requests',
    (m, { status, other, sentAt }) => {
      const { call, sent } = kit({ lifetime: 1000, latency: (n) => (n === 1 ? 2 : 10) }, {}, { steps: [status] });
      m.expect(call(), '^        ').toBeObservable('------------------(b|)');
      m.expect(call(), '-------^').toBeObservable(other);
      m.flush();
      expect(sent()).toContain(sentAt);
    },
    [
      { name: 'wait, after an explicit refusal', status: 401, other: '------------------(b|)', sentAt: '15 b' },
      { name: 'go on, after a bare 403', status: 403, other: '        ----------(a|)', sentAt: '7 a' },
    ],
  );

  it(
    '24 and 26: the stream completes on close(), after which nothing is left and all fails',
    marbles((m) => {
      const { call, token$, verify } = kit({ maxCalls: 1 });
      const close = '   --------x     ';
      const tokens = '  --a-----|     ';
      const events = '  s-c-----(z|)  ';
      const late = '    ---------^    ';
      const refused = ' ---------#    ';
      when(m, close, () => {
        token$.close();
      });
      m.expect(eventMarbles(token$.events)).toBeObservable(events);
      m.expect(tokenMarbles(token$)).toBeObservable(tokens);
      m.expect(call(), late).toBeObservable(refused, undefined, 'ERR_TOKEN_STREAM_CLOSED');
      m.expect(tokenMarbles(token$), late).toBeObservable(refused, undefined, 'ERR_TOKEN_STREAM_CLOSED');
      m.flush();
      expect(m.scheduler.actions).toHaveLength(0);
      verify();
    }),
  );
});
