import {
  Observable,
  Subject,
  VirtualTimeScheduler,
  type SchedulerAction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import { createTokenStream, isTokenError, type AccessToken } from 'rx-fresh-token';
import { call, listen, refresh, refuse, type Listener, type Place } from './callers.js';
import { endpointOf } from './endpoint.js';
import type { Action, History, Reaction } from './history.js';
import { Reference } from './reference.js';

const EPOCH = 1_700_000_000_000;
/** No history of this size needs so many: whoever reaches it storms. */
const MOST_HAPPENINGS = 20_000;

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

/** Runs a history against a stream, and shows the reference what happens. Returns what was not as promised, in order. */
export function run(history: History, log?: (line: string) => void): readonly string[] {
  const { options, steps, reactions, seed } = history;
  const scheduler = new VirtualTimeScheduler();
  let offset = EPOCH;
  const clock = () => scheduler.now() + offset;
  const reference = new Reference(options, { real: () => scheduler.now(), clock });
  const say = (line: string) => log?.(`${String(scheduler.now()).padStart(9)}  ${line}`);
  const listeners = new Set<Listener>();
  let depth = 0;
  let happened = 0;

  /** Whatever happens in the world; after each thing all must be as it should be. */
  function happen(what: () => void): void {
    if (reference.violations.length > 0) return;
    depth++;
    what();
    depth--;
    if (depth > 0) return;
    if (++happened > MOST_HAPPENINGS) reference.fault('storm', `${String(happened)} things happened`);
    reference.settled(token$.current?.value ?? null);
    const must = reference.mustServe();
    for (const { name, last } of listeners) {
      if (reference.closed) reference.fault('B26', `${name} was not completed by close()`);
      else if (must !== null && last !== must)
        reference.fault('B24', `${name} heard ${String(last)} last, though ${must} is usable`);
    }
    if (reference.closed && timers.size > 0)
      reference.fault('B26', `${String(timers.size)} timers are left after close()`);
    if (reference.closed && reference.live > 0) reference.fault('B26', 'a token fetch goes on after close()');
  }

  const later = (delay: number, what: () => void): Subscription =>
    scheduler.schedule(() => {
      happen(what);
    }, delay);

  const timers = new Set<Subscription>();
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
  const watchedWake = new Observable<void>((subscriber) => {
    reference.wakes();
    subscriber.add(wake.subscribe(subscriber));
    subscriber.add(() => {
      reference.rests();
    });
  });
  const token$ = createTokenStream(endpointOf(history, reference, later, say), {
    ...options,
    scheduler: watched,
    now: clock,
    random: mulberry32(seed),
    wake: watchedWake,
  });

  // ---- whoever watches may act from inside a callback

  const pending = reactions.map((reaction) => ({ ...reaction }));
  function react(on: Reaction['on']): void {
    for (const reaction of pending.filter((each) => each.on === on)) {
      if (reaction.nth-- !== 0) continue;
      say(`in reaction to ${on}:`);
      act(reaction.act);
    }
  }
  const known: AccessToken[] = [];
  token$.events.subscribe({
    next: (event) => {
      say(
        `event: ${event.type}${'outcome' in event ? ` ${event.outcome}` : ''}${'retryIn' in event ? ` ${String(event.retryIn)}` : ''}`,
      );
      reference.event(event);
      if (event.type === 'tokenChanged') known.push(event.token);
      const refusal = event.type === 'tokenRejected' ? reference.rejection : null;
      if (event.type !== 'closed') react(event.type);
      if (refusal?.waiter && refusal.outcome === 'alreadyReplaced') reference.waitOn(refusal.waiter);
    },
  });

  // ---- what people do

  const place: Place = {
    token$,
    reference,
    maxWait: options.maxWait ?? 30_000,
    revoked: new Set<string>(),
    later,
    say,
  };
  const guests: (() => void)[] = [];
  let names = 0;

  function act(action: Action): void {
    const name = `${action.do} ${String(++names)}`;
    say(`${name} ${JSON.stringify(action)}`);
    reference.active();
    reference.insideAction++;
    switch (action.do) {
      case 'call':
        guests.push(call(name, action, place));
        break;
      case 'listen':
        guests.push(
          listen(name, action, place, listeners, () => {
            react('value');
          }),
        );
        break;
      case 'refresh':
        guests.push(refresh(name, place));
        break;
      case 'reject':
        reject(action.which);
        break;
      case 'revoke':
        for (const { value } of known) (place.revoked as Set<string>).add(value);
        break;
      case 'jump':
        reference.jumped(clock(), ((offset += action.by), clock()));
        break;
      case 'wake':
        wake.next();
        break;
      case 'close':
        token$.close();
        if (!reference.closed) reference.fault('B26', 'close() was not announced');
    }
    reference.insideAction--;
    const leave = guests.at(-1);
    if ('leaveAfter' in action && action.leaveAfter !== undefined && leave) later(action.leaveAfter, leave);
  }

  function reject(which: 'latest' | 'oldest' | 'foreign'): void {
    const foreign = { value: 'foreign', type: 'Bearer' } as AccessToken;
    const token = which === 'foreign' ? foreign : known.at(which === 'latest' ? -1 : 0);
    if (!token) return;
    if (reference.closed)
      afterClose(() => {
        token$.reject(token);
      });
    else
      refuse(reference, { token: token.value, explicit: true, key: undefined, outcome: null }, () => {
        token$.reject(token);
      });
  }

  function afterClose(use: () => void): void {
    try {
      use();
      reference.fault('B26', 'reject() did not throw after close()');
    } catch (error) {
      if (!isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED')) throw error;
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
      if (reference.violations.length === 0) play(index + 1);
    }, step[0]);
  };
  play(0);
  const lasts = steps.reduce((sum, [after]) => sum + after, 0);
  scheduler.maxFrames = lasts;
  scheduler.flush();

  // Left alone it comes to rest, whatever was going on; and it can be used again.
  pending.length = 0;
  const epilogue: (() => void)[] = [
    () => {
      guests.splice(0).forEach((leave) => {
        leave();
      });
    },
    () => {
      act({ do: 'call', reply: 'ok', thrown: false, latency: 0 });
    },
    () => {
      act({ do: 'close' });
    },
    () => {
      act({ do: 'call', reply: 'ok', thrown: false, latency: 0 });
    },
    () => {
      act({ do: 'refresh' });
    },
    () => {
      act({ do: 'listen' });
    },
    () => {
      act({ do: 'reject', which: 'latest' });
    },
    () => {
      act({ do: 'close' });
    },
  ];
  for (const what of epilogue) {
    happen(what);
    scheduler.maxFrames = Infinity;
    scheduler.flush();
  }
  if (reference.violations.length === 0 && timers.size > 0)
    reference.fault('B26', `${String(timers.size)} timers are left`);
  return reference.violations;
}
