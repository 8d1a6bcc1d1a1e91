import { Observable, type Subscription } from 'rxjs';
import { isTokenError, withToken, type AccessToken } from 'rx-fresh-token';
import type { Call, Resource } from './history.js';
import type { Model } from './model.js';
import { newRejection, type Rejection, type ResourceMemory } from './resourceMemory.js';
import { answerOf, type Verdict } from './resources.js';
import type { Waiter } from './waiters.js';

/**
 * Once tokens are no longer revoked, a resource that accepts the newest one is healed within this time. Milliseconds.
 */
const HEALED_WITHIN = 60_000;

/** A request by `withToken`, from its start until it settles or its caller leaves. */
export class Request {
  private sends = 0;
  /** The token with which it was last sent, and the session then. */
  private token = '';
  private sentIn = 0;
  private isLeft = false;
  /** It has delivered a value before its answer. */
  private hasRow = false;
  private rejection: Rejection | null = null;
  private verdict: Verdict | null = null;
  private lastAnswer: unknown = undefined;
  private waiter: Waiter | null = null;
  private readonly session: number;
  private readonly startedReal: number;
  private readonly startedSeq: number;
  private readonly maxWait: number;
  private readonly resource: Resource;
  private readonly memory: ResourceMemory;
  private readonly subscription: Subscription;

  constructor(
    private readonly who: string,
    private readonly call: Call,
    private readonly model: Model,
  ) {
    const { facts, tokens, waiters, token$, resources } = model;
    const { maxWait, to } = call;
    [this.resource, this.memory] = resources[to % resources.length]!;
    this.maxWait = maxWait ?? facts.maxWait;
    this.session = facts.session;
    this.startedReal = facts.real;
    this.startedSeq = facts.seq;
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
    const { model, rejection } = this;
    this.isLeft = true;
    model.log?.(`${this.who} leaves`);
    model.waiters.delete(this.waiter);
    if (rejection) model.rejections.ended(rejection, null, 'unknown');
    model.facts.active();
    // It ends with the value that it has delivered.
    if (this.hasRow) model.rejections.accepted(this.memory, this.token);
    this.subscription.unsubscribe();
  }

  private send({ value }: AccessToken): Observable<unknown> {
    const { who, model, rejection, waiter, call } = this;
    const { facts, tokens, waiters } = model;
    model.log?.(`${who} sends ${value}`);
    this.sends++;
    waiters.delete(waiter);
    this.waiter = null;
    // The session ended as it began: it waits for the first token of the next one.
    const since = this.session === facts.session ? Infinity : this.startedSeq;
    tokens.given(value, who, waiter?.seq ?? since);
    facts.active();
    if (this.isLeft) facts.violated('9', `${who} was sent after its caller left`);
    if (this.sends > (this.hasRow || this.resource.kind === 'rateLimited' ? 1 : 2))
      facts.violated('16', `${who} was sent ${String(this.sends)} times`);
    if (this.sends > 1 && tokens.serials.get(value)! <= tokens.serials.get(this.token)!)
      facts.violated('16', `${who} was repeated with ${value} after ${this.token}`);
    if (rejection && rejection.session !== facts.session)
      facts.violated('36', `${who} was repeated with the token of another session`);
    this.token = value;
    this.sentIn = facts.session;
    return new Observable((subscriber) => {
      if (call.row) {
        this.hasRow = true;
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
      else subscriber.add(model.later(call.latency, answer));
    });
  }

  private answer(token: string, pass: (told: unknown) => void): void {
    const { call, who, model, memory, sends } = this;
    const { facts, rejections, registry } = model;
    const verdict = (this.verdict = answerOf(this.resource, call, token, registry, facts.real));
    model.log?.(`${who} gets ${String(verdict.status)}`);
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
    const isOfHeld = model.tokens.held?.value === token;
    if (call.row) facts.hiddenUntil = facts.real + this.maxWait;
    else this.waiter = model.waiters.add(who, isOfHeld ? 'recover' : 'take', this.maxWait, rejection);
    rejections.reject(rejection, () => {
      pass(told);
    });
  }

  private failed(error: unknown, wasServed: boolean): void {
    const { who, model, waiter } = this;
    const { facts, tokens } = model;
    model.log?.(`${who} fails: ${String(error)}`);
    // The token that it was about to take may have been rejected, or gone, meanwhile.
    const isTooLate = wasServed && this.sends === 0 && tokens.mustServe() === null;
    if (error !== this.lastAnswer && !waiter && !isTooLate && !isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
      facts.violated('12', `${who} failed with ${String(error)} while it did not wait`);
    // A rejected request that is not repeated gets its rejection, unless it was about to be repeated.
    const isSent = this.sends > 0 && error !== this.lastAnswer && this.session === facts.session;
    if (isSent && !facts.isClosed && facts.jumps === 0 && !isTokenError(error, 'ERR_TOKEN_UNAVAILABLE'))
      facts.violated('16', `${who} failed with ${String(error)}`);
    this.settle(error === this.lastAnswer ? null : error);
  }

  private settle(error: unknown): void {
    const { model, rejection, verdict, sends, token } = this;
    const { waiters, rejections, facts } = model;
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
    this.checkHealing(ended);
  }

  /**
   * Guarantee 33: a resource that accepts the newest token rejects no request that begins a minute after the last
   * trouble.
   */
  private checkHealing(ended: Waiter | null): void {
    const { model, verdict, call, rejection } = this;
    const { facts } = model;
    if (verdict?.says !== 'explicit' || (verdict.because !== 'revoked' && verdict.because !== 'lag')) return;
    if (call.row || facts.jumps > 0 || facts.isClosed || !rejection || this.session !== facts.session) return;
    const isLate = ended !== null && facts.real === ended.since + ended.maxWait;
    const { rejectionBudget: budget } = facts.options;
    if (isLate || budget || model.fetches.isAsking) return;
    const since = facts.calmSince + model.slowest;
    if (verdict.because === 'revoked' && this.startedReal - since > HEALED_WITHIN)
      facts.violated('33', `${this.who} was rejected ${String(facts.real - since)} ms after the last trouble`);
  }
}
