import type { Subscription } from 'rxjs';
import type { TokenStream } from 'rx-fresh-token';
import { EventLog } from './eventLog.js';
import type { Facts } from './facts.js';
import { Failures } from './failures.js';
import { Fetches } from './fetches.js';
import type { Call, History, Resource } from './history.js';
import type { Registry } from './issuer.js';
import type { Listener } from './listener.js';
import { Rejections } from './rejections.js';
import { newMemory, type ResourceMemory } from './resourceMemory.js';
import { Tokens } from './tokens.js';
import { Waiters } from './waiters.js';

/** What the model knows: what callers, servers and the source have done, and so what the stream may and must do. */
export interface Knowledge {
  readonly facts: Facts;
  readonly tokens: Tokens;
  readonly failures: Failures;
  readonly fetches: Fetches;
  readonly rejections: Rejections;
  readonly waiters: Waiters;
  readonly events: EventLog;
  readonly listeners: Set<Listener>;
  readonly registry: Registry;
  readonly resources: readonly (readonly [Resource, ResourceMemory])[];
  /** The longest that a request or a fetch takes, in ms. */
  readonly slowest: number;
}

/** The model, with the stream that it watches. */
export interface Model extends Knowledge {
  readonly token$: TokenStream;
  readonly later: (delay: number, what: () => void) => Subscription;
  /** Prints what happens. */
  readonly log: ((line: string) => void) | undefined;
}

export function createKnowledge(history: History, facts: Facts): Knowledge {
  const slowest = slowestOf(history);
  const tokens = new Tokens(facts);
  const resources = history.resources.map(
    (resource, index) => [resource, newMemory(`R${String(index)}`, resource.isKeyed)] as const,
  );
  const memories = resources.map(([, memory]) => memory);
  // A lag of 1.5 s costs three tokens if tokens outlive it, and if no answer takes long.
  const isFast = history.scale >= 30_000 && history.issuer.first.length === 0 && slowest <= 200;
  const failures = new Failures(facts, tokens, history.seed === null);
  const rejections: Rejections = new Rejections(facts, tokens, memories, isFast, {
    isBlocked: () => failures.isBlocking,
    isPausing: () => !fetches.isFetching && failures.mayPause,
    isFarFromAttempt: () => !fetches.isFetching && failures.isFarFromAttempt,
    isRefreshing: () => fetches.isRefreshing,
    isReplacing: () => fetches.isReplacing,
  });
  const fetches: Fetches = new Fetches(facts, tokens, rejections, failures);
  const waiters = new Waiters(facts, tokens, failures);
  const events = new EventLog(facts, tokens, fetches, rejections);
  const registry = { issuedReal: new Map<string, number>(), revoked: new Set<string>() };
  const listeners = new Set<Listener>();
  return { facts, tokens, failures, fetches, rejections, waiters, events, listeners, registry, resources, slowest };
}

/** What must be true after each thing that happens. */
export function check(
  { facts, tokens, fetches, rejections, waiters, events, listeners }: Knowledge,
  token$: TokenStream,
  timers: number,
): void {
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
  if (timers > 0) facts.violated('26', `${String(timers)} timers are left after close()`);
  if (fetches.live > 0) facts.violated('26', 'a token fetch goes on after close()');
}

/** The session ends, unless it has ended already. */
export function endSession({ facts, tokens, fetches, rejections }: Knowledge): void {
  if (facts.isSignedOut || facts.isClosed) return;
  facts.endSession();
  tokens.forget();
  fetches.forget();
  rejections.forget();
}

const callsOf = ({ steps, reactions }: History): Call[] =>
  [...steps.map(([, act]) => act), ...reactions.map(({ act }) => act)].filter((act) => act.do === 'call');

const slowestOf = (history: History): number =>
  Math.max(
    history.issuer.latency ?? 0,
    ...history.issuer.first.map(({ latency }) => latency ?? 0),
    ...callsOf(history).map(({ latency }) => latency ?? 0),
  );
