import { Observable, take, type Subscription } from 'rxjs';
import { isTokenError, takeToken, withToken, type AccessToken, type TokenStream } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { Fetches } from './fetches.js';
import type { Call, Resource } from './history.js';
import type { Registry } from './issuer.js';
import { newRejection, type Rejection, type Rejections, type ResourceMemory } from './rejections.js';
import { answerOf, type Verdict } from './resources.js';
import type { Tokens } from './tokens.js';
import type { Waiter, Waiters } from './waiters.js';

/** The world as callers see it. */
export interface World {
  readonly token$: TokenStream;
  readonly facts: Facts;
  readonly tokens: Tokens;
  readonly fetches: Fetches;
  readonly rejections: Rejections;
  readonly waiters: Waiters;
  readonly registry: Registry;
  readonly resources: readonly (readonly [Resource, ResourceMemory])[];
  readonly later: (delay: number, what: () => void) => Subscription;
  /** The longest that a request or a fetch takes, in ms. */
  readonly slowest: number;
  readonly log: ((line: string) => void) | undefined;
}

/** A token that is no longer revoked, lags or fails to come heals a resource within this time. */
const HEALED_WITHIN = 60_000;

/** A request by `withToken`, from its start until it settles or its caller leaves. Returns how the caller leaves. */
export class Request {
  private sends = 0;
  private token = '';
  /** The session in which it was sent. */
  private sentIn = 0;
  private first: string | null = null;
  private isLeft = false;
  private hasRow = false;
  private rejection: Rejection | null = null;
  private verdict: Verdict | null = null;
  private lastAnswer: unknown = undefined;
  private waiter: Waiter | null = null;
  private readonly session: number;
  private readonly startedReal: number;
  private readonly maxWait: number;
  private readonly resource: Resource;
  private readonly memory: ResourceMemory;
  private readonly subscription: Subscription;

  constructor(
    private readonly who: string,
    private readonly call: Call,
    private readonly world: World,
  ) {
    const { facts, tokens, waiters, token$, resources } = world;
    const { maxWait, to } = call;
    [this.resource, this.memory] = resources[to % resources.length]!;
    this.maxWait = maxWait ?? facts.maxWait;
    this.session = facts.session;
    this.startedReal = facts.real;
    facts.isSignedOut = false;
    const isServed = !facts.isClosed && tokens.mustServe() !== null;
    if (!isServed && !facts.isClosed) this.waiter = waiters.add(who, 'take', this.maxWait);
    const key = this.memory.isKeyed ? this.memory.name : undefined;
    const options = { ...(key !== undefined && { key }), ...(maxWait !== undefined && { maxWait }) };
    this.subscription = withToken(token$, (token) => this.send(token), options).subscribe({
      next: (value) => {
        if (value !== this.lastAnswer) facts.violated('16', `${who} got an answer that is not its last`);
      },
      error: (error: unknown) => {
        this.failed(error, isServed);
      },
      complete: () => {
        if (this.sends === 0) facts.violated('12', `${who} completed without being sent`);
        this.settle(null);
      },
    });
    if (!isServed || this.sends > 0 || facts.isClosed || facts.session !== this.session) return;
    if (tokens.mustServe() !== null) facts.violated('4', `${who} was not sent at once, though a token was usable`);
    else if (!this.subscription.closed) this.waiter = waiters.add(who, 'take', this.maxWait);
  }

  leave(): void {
    if (this.subscription.closed) return;
    const { world, rejection } = this;
    this.isLeft = true;
    world.log?.(`${this.who} leaves`);
    world.waiters.delete(this.waiter);
    if (rejection) world.rejections.ended(rejection, null, 'unknown');
    world.facts.active();
    this.subscription.unsubscribe();
  }

  private send({ value }: AccessToken): Observable<unknown> {
    const { who, world, rejection, waiter, call } = this;
    const { facts, tokens, waiters } = world;
    world.log?.(`${who} sends ${value}`);
    this.sends++;
    waiters.delete(waiter);
    this.waiter = null;
    tokens.given(value, who, waiter?.seq ?? Infinity);
    facts.active();
    if (this.isLeft) facts.violated('9', `${who} was sent after its caller left`);
    if (this.sends > (this.hasRow || this.resource.kind === 'rateLimited' ? 1 : 2))
      facts.violated('16', `${who} was sent ${String(this.sends)} times`);
    if (this.first === null) this.first = value;
    else if (tokens.serials.get(value)! <= tokens.serials.get(this.token)!)
      facts.violated('16', `${who} was repeated with ${value} after ${this.token}`);
    if (rejection && rejection.session !== facts.session)
      facts.violated('36', `${who} was repeated with the token of another session`);
    this.token = value;
    this.sentIn = facts.session;
    return new Observable((subscriber) => {
      if (call.row) {
        this.hasRow = true;
        world.rejections.accepted(this.memory, value);
        subscriber.next((this.lastAnswer = { row: 1 }));
      }
      const answer = () => {
        this.answer(value, (told) => {
          if (told instanceof Error) subscriber.error(told);
          else subscriber.next(told);
          subscriber.complete();
        });
      };
      if (call.latency === null) answer();
      else subscriber.add(world.later(call.latency, answer));
    });
  }

  private answer(token: string, pass: (told: unknown) => void): void {
    const { call, who, world, memory, sends } = this;
    const { facts, rejections, registry } = world;
    const verdict = (this.verdict = answerOf(this.resource, call, token, registry, facts.real));
    world.log?.(`${who} gets ${String(verdict.status)}`);
    const { says, because, status, headers } = verdict;
    const plain = { status, headers };
    const isThrown = (call.thrown ?? call.row) && status !== 200;
    const told = (this.lastAnswer = isThrown ? Object.assign(new Error('rejected'), plain) : plain);
    if (says === 'accepted') rejections.accepted(memory, token);
    if (says === 'accepted' || says === 'nothing') {
      pass(told);
      return;
    }
    if (sends > 1) {
      memory.rejections++;
      memory.lastRejected = token;
      pass(told);
      return;
    }
    const rejection = (this.rejection = newRejection({
      who,
      token,
      kind: says,
      resource: memory,
      isLag: because === 'lag',
      isFinal: call.row === true,
      session: this.sentIn,
    }));
    const isOfHeld = world.tokens.held?.value === token;
    if (call.row) facts.hiddenUntil = facts.real + this.maxWait;
    else this.waiter = world.waiters.add(who, isOfHeld ? 'recover' : 'take', this.maxWait, rejection);
    rejections.reject(rejection, () => {
      pass(told);
    });
  }

  private failed(error: unknown, wasServed: boolean): void {
    const { who, world, waiter } = this;
    const { facts, tokens } = world;
    world.log?.(`${who} fails: ${String(error)}`);
    // The token that it was about to take may have been rejected, or gone, meanwhile.
    const isTooLate = wasServed && this.sends === 0 && tokens.mustServe() === null;
    if (error !== this.lastAnswer && !waiter && !isTooLate && !isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
      facts.violated('12', `${who} failed with ${String(error)} while it did not wait`);
    if (
      this.sends > 0 &&
      error !== this.lastAnswer &&
      this.session === facts.session &&
      !facts.isClosed &&
      facts.jumps === 0
    )
      this.failsRightly(error);
    this.settle(error === this.lastAnswer ? null : error);
  }

  /** A rejected request that is not repeated gets its rejection, and no other error, unless it was about to be repeated. */
  private failsRightly(error: unknown): void {
    if (!isTokenError(error, 'ERR_TOKEN_UNAVAILABLE'))
      this.world.facts.violated('16', `${this.who} failed with ${String(error)}`);
  }

  private settle(error: unknown): void {
    const { world, rejection, verdict, sends, token } = this;
    const { waiters, rejections, facts } = world;
    const ended = this.waiter;
    this.waiter = null;
    waiters.delete(ended);
    facts.active();
    if (rejection) {
      const says = verdict?.says;
      const outcome = says === 'accepted' ? 'accepted' : says === 'nothing' ? 'unknown' : 'rejected';
      rejections.ended(rejection, sends > 1 ? token : null, sends > 1 ? outcome : 'unknown');
    }
    if (ended) waiters.unserved(ended, error);
    this.isHealed(ended);
  }

  /** A resource that would take a new token is not rejected for more than a minute after the last trouble. */
  private isHealed(ended: Waiter | null): void {
    const { world, verdict, call, rejection } = this;
    const { facts } = world;
    if (verdict?.says !== 'explicit' || (verdict.because !== 'revoked' && verdict.because !== 'lag')) return;
    if (call.row || facts.jumps > 0 || facts.isClosed || !rejection || this.session !== facts.session) return;
    const isLate = ended !== null && facts.real === ended.since + ended.maxWait;
    const { rejectionBudget: budget } = facts.options;
    if (isLate || budget || world.fetches.isAsking) return;
    const since = facts.calmSince + world.slowest;
    if (verdict.because === 'revoked' && this.startedReal - since > HEALED_WITHIN)
      facts.violated('33', `${this.who} was rejected ${String(facts.real - since)} ms after the last trouble`);
  }
}

export interface Listener {
  readonly who: string;
  last: string | null;
}

/** A subscriber of the stream itself. */
export function listen(
  who: string,
  once: boolean,
  { token$, facts, tokens, fetches, log }: World,
  listeners: Set<Listener>,
  onValue: () => void,
): () => void {
  const listener: Listener = { who, last: null };
  const since = ++facts.seq;
  const leave = () => {
    if (!listeners.delete(listener)) return;
    facts.listeners--;
    facts.active();
    tokens.lastUse = facts.lastActivity;
  };
  listeners.add(listener);
  facts.listeners++;
  facts.isSignedOut = false;
  const subscription = (once ? token$.pipe(take(1)) : token$).subscribe({
    next: ({ value }) => {
      log?.(`${who} hears ${value}`);
      tokens.given(value, who, since);
      if (value === listener.last) facts.violated('14', `${who} heard ${value} twice`);
      if (listener.last !== null && tokens.serials.get(value)! < tokens.serials.get(listener.last)!)
        facts.violated('14', `${who} heard ${value} after ${listener.last}`);
      listener.last = value;
      onValue();
    },
    error: (error: unknown) => {
      log?.(`${who} fails: ${String(error)}`);
      leave();
      if (facts.isClosed && isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED')) return;
      if (!isTokenError(error, 'ERR_TOKEN_UNAVAILABLE') || fetches.permanentSeq < 0)
        facts.violated('24', `a listener failed with ${String(error)}`);
      if (tokens.mustServe() !== null) facts.violated('11', 'a listener failed, though a token lives');
    },
    complete: () => {
      log?.(`${who} is done`);
      leave();
      if (!facts.isClosed && !(once && listener.last !== null))
        facts.violated('24', `${who} was completed before close()`);
    },
  });
  return () => {
    leave();
    subscription.unsubscribe();
  };
}

/** Someone who takes one token, or forces a refresh. */
export function wait(who: string, kind: 'take' | 'refresh', given: number | undefined, world: World): () => void {
  const { token$, facts, tokens, fetches, waiters, log } = world;
  const maxWait = given ?? facts.maxWait;
  facts.isSignedOut = false;
  const waiter = facts.isClosed ? null : waiters.add(who, kind, maxWait);
  if (kind === 'refresh') fetches.endPause(true);
  let isGiven = false;
  const token = kind === 'take' ? takeToken(token$, given === undefined ? {} : { maxWait }) : token$.refresh();
  const subscription = token.subscribe({
    next: ({ value }) => {
      isGiven = true;
      facts.active();
      log?.(`${who} gets ${value}`);
      waiters.delete(waiter);
      tokens.given(value, who, waiter?.seq ?? Infinity);
      const { arrival } = tokens;
      if (kind === 'refresh' && (arrival?.value !== value || arrival.seq < (waiter?.born ?? Infinity)))
        facts.violated('refresh', `${who} got ${value}, which has not come since it was asked for`);
    },
    error: (error: unknown) => {
      log?.(`${who} fails: ${String(error)}`);
      if (waiter) waiters.unserved(waiter, error);
      else if (!isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
        facts.violated('26', `${who} failed with ${String(error)} after close()`);
    },
    complete: () => {
      if (!isGiven) facts.violated('12', `${who} completed without a token`);
    },
  });
  facts.active();
  return () => {
    waiters.delete(waiter);
    facts.active();
    subscription.unsubscribe();
  };
}
