import {
  Observable,
  Subject,
  VirtualTimeScheduler,
  type SchedulerAction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import { createTokenStream, isTokenError, type AccessToken } from 'rx-fresh-token';
import { listen, type Listener } from './listener.js';
import type { Model } from './model.js';
import { Request } from './request.js';
import { wait } from './taker.js';
import { EventLog } from './eventLog.js';
import { Facts } from './facts.js';
import { Failures } from './failures.js';
import { Fetches } from './fetches.js';
import type { Action, Call, History, Reaction } from './history.js';
import { issuerOf, type Registry } from './issuer.js';
import { Rejections } from './rejections.js';
import { newMemory, newRejection } from './resourceMemory.js';
import { Tokens } from './tokens.js';
import { Waiters } from './waiters.js';

const EPOCH = 1_700_000_000_000;
/** No history of this size needs so many. Tokens of 50 ms are renewed every few milliseconds, where the clocks differ. */
const mostHappenings = (scale: number): number => (scale < 1000 ? 200_000 : 20_000);

/** Numbers from 0 up to 1, the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const callsOf = ({ steps, reactions }: History): Call[] =>
  [...steps.map(([, act]) => act), ...reactions.map(({ act }) => act)].filter((act) => act.do === 'call');

/** The longest that a request or a fetch takes, in ms. */
const slowestOf = (history: History): number =>
  Math.max(
    history.issuer.latency ?? 0,
    ...history.issuer.first.map(({ latency }) => latency ?? 0),
    ...callsOf(history).map(({ latency }) => latency ?? 0),
  );

/** A lag of 1.5 s costs three tokens if tokens outlive it, and if no answer takes long. */
const isFast = (history: History): boolean =>
  history.scale >= 30_000 && history.issuer.first.length === 0 && slowestOf(history) <= 200;

/** Runs a history against a stream, and checks what happens. Returns what was not as promised, in order. */
export function run(history: History, print?: (line: string) => void): readonly string[] {
  const { options, steps, reactions, seed } = history;
  const scheduler = new VirtualTimeScheduler();
  let offset = EPOCH;
  const clock = () => scheduler.now() + offset;
  const facts = new Facts(options, { real: () => scheduler.now(), clock });
  const tokens = new Tokens(facts);
  const resources = history.resources.map(
    (resource, index) => [resource, newMemory(`R${String(index)}`, resource.isKeyed)] as const,
  );
  const failures = new Failures(facts, tokens, seed === null);
  const rejections: Rejections = new Rejections(
    facts,
    tokens,
    resources.map(([, memory]) => memory),
    isFast(history),
    {
      isBlocked: () => failures.isBlocking,
      isPausing: () => !fetches.isAsking && failures.mayPause,
      isRefreshing: () => fetches.isRefreshing,
    },
  );
  const fetches: Fetches = new Fetches(facts, tokens, rejections, failures);
  const waiters = new Waiters(facts, tokens, failures);
  const events = new EventLog(facts, tokens, fetches, rejections);
  const registry: Registry = { issuedReal: new Map(), revoked: new Set() };
  const log = print && ((line: string) => print(`${String(scheduler.now()).padStart(9)}  ${line}`));
  const listeners = new Set<Listener>();
  const timers = new Set<Subscription>();
  let depth = 0;
  let happened = 0;

  /** Whatever happens in the world; after each thing all must be as it should be. */
  function happen(what: () => void): void {
    if (facts.violations.length > 0) return;
    depth++;
    what();
    depth--;
    if (depth > 0) return;
    if (++happened > mostHappenings(history.scale)) facts.violated('load', `${String(happened)} things happened`);
    rejections.settled(fetches.isAsking);
    tokens.settled(token$.current?.value ?? null, fetches.isAsking);
    fetches.settled(waiters.size);
    waiters.settled();
    events.settled();
    const usable = tokens.mustServe();
    for (const { who, last } of listeners) {
      if (facts.isClosed) facts.violated('26', `${who} was not completed by close()`);
      else if (usable !== null && last !== usable)
        facts.violated('24', `${who} heard ${String(last)} last, though ${usable} is usable`);
    }
    if (!facts.isClosed) return;
    if (timers.size > 0) facts.violated('26', `${String(timers.size)} timers are left after close()`);
    if (fetches.live > 0) facts.violated('26', 'a token fetch goes on after close()');
  }

  const later = (delay: number, what: () => void): Subscription =>
    scheduler.schedule(() => {
      happen(what);
    }, delay);

  /** The scheduler as the stream sees it: what it schedules is counted. */
  const watched: SchedulerLike = {
    now: () => scheduler.now(),
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay?: number, state?: T): Subscription {
      const action = scheduler.schedule<T>(
        function (this: SchedulerAction<T>, given?: T) {
          happen(() => {
            work.call(this, given as T);
          });
        },
        delay,
        state,
      );
      timers.add(action);
      action.add(() => timers.delete(action));
      return action;
    },
  };

  const wake = new Subject<void>();
  const isNeeded = () => waiters.size + facts.listeners > 0;
  const source = issuerOf(history, {
    facts,
    fetches,
    registry,
    isNeeded,
    later,
    log,
    clock: () => scheduler.now() + EPOCH,
  });
  const token$ = createTokenStream(source, {
    ...options,
    scheduler: watched,
    now: clock,
    random: seed === null ? () => 0.5 : mulberry32(seed),
    wake: new Observable<void>((subscriber) => wake.subscribe(subscriber)),
  });

  // ---- whoever watches may act from inside a callback

  const pending = reactions.map((reaction) => ({ ...reaction }));
  function react(on: Reaction['on']): void {
    for (const reaction of pending) {
      if (reaction.on !== on || reaction.nth-- !== 0) continue;
      log?.(`in reaction to ${on}:`);
      act(reaction.act);
    }
  }
  const known: AccessToken[] = [];
  token$.events.subscribe((event) => {
    log?.(
      `event: ${event.type}${'outcome' in event ? ` ${event.outcome}` : ''}${'retryIn' in event ? ` ${String(event.retryIn)}` : ''}`,
    );
    events.heard[0].push(event);
    events.event(event);
    if (event.type === 'tokenChanged') known.push(event.token);
    if (event.type !== 'closed') react(event.type);
  });
  token$.events.subscribe((event) => {
    events.heard[1].push(event);
  });

  // ---- what people do

  const model: Model = {
    token$,
    facts,
    tokens,
    failures,
    fetches,
    rejections,
    waiters,
    registry,
    resources,
    later,
    log,
    slowest: slowestOf(history),
  };
  const leaving: (() => void)[] = [];
  let names = 0;

  function request(name: string, made: Call): void {
    facts.starting++;
    const sent = new Request(name, made, model);
    facts.starting--;
    const leave = () => {
      sent.leave();
    };
    leaving.push(leave);
    if (made.leaveAfter !== undefined) later(made.leaveAfter, leave);
    if (!made.times) return;
    later(made.every ?? 1000, () => {
      facts.insideAction++;
      request(`${name}'`, { ...made, times: made.times! - 1 });
      facts.insideAction--;
    });
  }

  function act(action: Action): void {
    const name = `${action.do} ${String(++names)}`;
    log?.(`${name} ${JSON.stringify(action)}`);
    facts.active();
    facts.insideAction++;
    if (action.do === 'take' || action.do === 'refresh' || action.do === 'listen') facts.starting++;
    switch (action.do) {
      case 'call':
        request(name, action);
        break;
      case 'take':
      case 'refresh':
        leaving.push(wait(name, action.do, action.do === 'take' ? action.maxWait : undefined, model));
        break;
      case 'listen':
        leaving.push(
          listen(name, action.once === true, model, listeners, () => {
            react('value');
          }),
        );
        break;
      case 'reject':
        reject(name, action.which);
        break;
      case 'revoke':
        for (const value of registry.issuedReal.keys()) registry.revoked.add(value);
        facts.trouble();
        break;
      case 'jump':
        tokens.jumped(clock(), ((offset += action.by), clock()));
        break;
      case 'wake':
        failures.endPause();
        wake.next();
        break;
      case 'signOut':
        if (!facts.isSignedOut && !facts.isClosed) {
          facts.endSession();
          tokens.forget();
          fetches.forget();
          rejections.forget();
        }
        token$.signOut();
        break;
      case 'close':
        facts.isClosed = true;
        token$.close();
    }
    if (action.do === 'take' || action.do === 'refresh' || action.do === 'listen') facts.starting--;
    facts.insideAction--;
    const leave = leaving.at(-1);
    if (action.do !== 'call' && 'leaveAfter' in action && action.leaveAfter !== undefined && leave)
      later(action.leaveAfter, leave);
  }

  function reject(who: string, which: 'latest' | 'oldest' | 'foreign'): void {
    const foreign = { value: 'foreign', type: 'Bearer' } as AccessToken;
    const token = which === 'foreign' ? foreign : known.at(which === 'latest' ? -1 : 0);
    if (!token) return;
    const wasClosed = facts.isClosed;
    const pass = () => {
      try {
        token$.reject(token);
        if (wasClosed) facts.violated('26', 'reject() did not throw after close()');
      } catch (error) {
        if (!wasClosed || !isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED')) throw error;
      }
    };
    const { value } = token;
    if (wasClosed) pass();
    else {
      const given = {
        who,
        token: value,
        kind: 'explicit',
        resource: null,
        isLag: false,
        isFinal: true,
        session: tokens.sessions.get(value),
      } as const;
      rejections.reject(newRejection(given), pass);
    }
  }

  // ---- the history

  const play = (index: number): void => {
    const step = steps[index];
    if (!step) return;
    scheduler.schedule(() => {
      happen(() => {
        act(step[1]);
      });
      if (facts.violations.length === 0) play(index + 1);
    }, step[0]);
  };
  play(0);
  scheduler.maxFrames = steps.reduce((sum, [after]) => sum + after, 0);
  scheduler.flush();

  // Left alone it comes to rest, whatever was going on; and it can be used again.
  pending.length = 0;
  const latency = 0;
  const last: Action[] = [
    { do: 'call', to: 0, latency },
    { do: 'close' },
    { do: 'call', to: 0, latency },
    { do: 'refresh' },
    { do: 'take' },
    { do: 'listen' },
    { do: 'reject', which: 'latest' },
    { do: 'signOut' },
    { do: 'close' },
  ];
  const epilogue = [
    () => {
      leaving.splice(0).forEach((leave) => {
        leave();
      });
    },
    ...last.map((action) => () => {
      act(action);
    }),
  ];
  for (const what of epilogue) {
    happen(what);
    scheduler.maxFrames = Infinity;
    scheduler.flush();
  }
  if (facts.violations.length === 0 && timers.size > 0) facts.violated('26', `${String(timers.size)} timers are left`);
  return facts.violations;
}
