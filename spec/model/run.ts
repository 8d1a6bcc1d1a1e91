import { Observable, Subject } from 'rxjs';
import { createTokenStream, type AccessToken } from 'rx-fresh-token';
import { Actions } from './actions.js';
import { Facts } from './facts.js';
import type { Action, History, Reaction } from './history.js';
import { issuerOf } from './issuer.js';
import { check, createKnowledge, type Model } from './model.js';
import { createVirtualTime, mulberry32 } from './virtualTime.js';

/**
 * No history of this size needs so many steps. Tokens of 50 ms are renewed every few milliseconds, where the clocks
 * differ.
 */
const mostSteps = (scale: number): number => (scale < 1000 ? 200_000 : 20_000);

const latency = 0;
/** Whatever went on, the stream can be used again, can be closed, and then says so to everyone. */
const last: readonly Action[] = [
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

/**
 * Runs a history against a stream, and checks what happens. Returns which guarantees were violated, and how, in order.
 */
export function run(history: History, print?: (line: string) => void): readonly string[] {
  const { options, steps, reactions, seed, scale } = history;
  const time = createVirtualTime(happen);
  const { scheduler, timers, clock, wall, later } = time;
  const facts = new Facts(options, { real: () => scheduler.now(), clock, wall });
  const knowledge = createKnowledge(history, facts);
  const { events, waiters } = knowledge;
  const log = print && ((line: string) => print(`${String(scheduler.now()).padStart(9)}  ${line}`));
  let depth = 0;
  let happened = 0;

  /** Does something, and checks all that must be true after it. */
  function happen(what: () => void): void {
    if (facts.violations.length > 0) return;
    depth++;
    what();
    depth--;
    if (depth > 0) return;
    if (++happened > mostSteps(scale)) facts.violated('load', `${String(happened)} things happened`);
    check(knowledge, token$, timers.size);
  }

  const wake = new Subject<void>();
  const isNeeded = () => waiters.size + facts.listeners > 0;
  const source = issuerOf(history, { ...knowledge, isNeeded, later, log, clock: time.issuerClock });
  const token$ = createTokenStream(source, {
    ...options,
    scheduler: time.watched,
    now: wall,
    random: seed === null ? () => 0.5 : mulberry32(seed),
    wake: new Observable<void>((subscriber) => wake.subscribe(subscriber)),
  });

  const pending = reactions.map((reaction) => ({ ...reaction }));
  /** Listeners may act from inside a callback. */
  function react(on: Reaction['on']): void {
    for (const reaction of pending) {
      if (reaction.on !== on || reaction.nth-- !== 0) continue;
      log?.(`in reaction to ${on}:`);
      actions.act(reaction.act);
    }
  }

  const known: AccessToken[] = [];
  const model: Model = { ...knowledge, token$, later, log };
  const actions = new Actions(model, {
    known,
    setClock: time.setClock,
    onValue: () => {
      react('value');
    },
    wake: () => {
      wake.next();
    },
  });
  token$.events.subscribe((event) => {
    const outcome = 'outcome' in event ? ` ${event.outcome}` : '';
    log?.(`event: ${event.type}${outcome}${'retryIn' in event ? ` ${String(event.retryIn)}` : ''}`);
    events.heard[0].push(event);
    events.event(event);
    if (event.type === 'tokenChanged') known.push(event.token);
    if (event.type !== 'closed') react(event.type);
  });
  token$.events.subscribe((event) => {
    events.heard[1].push(event);
  });

  const play = (index: number): void => {
    const step = steps[index];
    if (!step) return;
    scheduler.schedule(() => {
      happen(() => {
        actions.act(step[1]);
      });
      if (facts.violations.length === 0) play(index + 1);
    }, step[0]);
  };
  play(0);
  scheduler.maxFrames = steps.reduce((sum, [after]) => sum + after, 0);
  scheduler.flush();

  // When everyone has left, the stream comes to rest.
  pending.length = 0;
  const everyoneLeaves = () => {
    actions.leaving.splice(0).forEach((leave) => {
      leave();
    });
  };
  const ends = last.map((action) => () => {
    actions.act(action);
  });
  for (const what of [everyoneLeaves, ...ends]) {
    happen(what);
    scheduler.maxFrames = Infinity;
    scheduler.flush();
  }
  if (facts.violations.length === 0 && timers.size > 0)
    facts.violated('26', `${String(timers.size)} timers are left after close()`);
  return facts.violations;
}
