import { isTokenError, type AccessToken } from 'rx-fresh-token';
import type { Action, Call } from './history.js';
import { listen } from './listener.js';
import { endSession, type Model } from './model.js';
import { Request } from './request.js';
import { newRejection } from './resourceMemory.js';
import { wait } from './taker.js';

/** What the actions of a history need beside the model. */
export interface Hooks {
  /** The tokens that `tokenChanged` told of. */
  readonly known: readonly AccessToken[];
  /** A listener has heard a token. */
  readonly onValue: () => void;
  readonly setClock: (by: number) => void;
  readonly wake: () => void;
}

/** Does what callers, servers and users do. */
export class Actions {
  /** How everyone who is there leaves. */
  readonly leaving: (() => void)[] = [];
  private names = 0;

  constructor(
    private readonly model: Model,
    private readonly hooks: Hooks,
  ) {}

  act(action: Action): void {
    const { facts, log, later } = this.model;
    const name = `${action.do} ${String(++this.names)}`;
    log?.(`${name} ${JSON.stringify(action)}`);
    facts.active();
    const isUse = action.do === 'take' || action.do === 'refresh' || action.do === 'listen';
    facts.insideAction++;
    if (isUse) facts.starting++;
    this.carryOut(name, action);
    if (isUse) facts.starting--;
    facts.insideAction--;
    const leave = this.leaving.at(-1);
    if (isUse && action.leaveAfter !== undefined && leave) later(action.leaveAfter, leave);
  }

  private carryOut(name: string, action: Action): void {
    const { model, hooks, leaving } = this;
    const { facts, registry, failures, token$, log } = model;
    switch (action.do) {
      case 'call':
        this.request(name, action);
        break;
      case 'take':
      case 'refresh':
        leaving.push(wait(name, action.do, action.do === 'take' ? action.maxWait : undefined, model));
        break;
      case 'listen':
        leaving.push(listen(name, action.once === true, model, hooks.onValue));
        break;
      case 'reject':
        this.reject(name, action.which);
        break;
      case 'revoke':
        for (const value of registry.issuedReal.keys()) registry.revoked.add(value);
        facts.trouble();
        break;
      case 'jump': {
        // The stream looks at its clock: less that is set back than has passed since it last did would not be noticed.
        const { current } = token$;
        log?.(`the clock is set, with ${String(current?.value)} at hand`);
        facts.jumps++;
        hooks.setClock(action.by);
        break;
      }
      case 'wake':
        failures.endPause();
        hooks.wake();
        break;
      case 'signOut':
        endSession(model);
        token$.signOut();
        break;
      case 'close':
        facts.isClosed = true;
        token$.close();
    }
  }

  private request(name: string, call: Call): void {
    const { facts, later } = this.model;
    facts.starting++;
    const sent = new Request(name, call, this.model);
    facts.starting--;
    const leave = () => {
      sent.leave();
    };
    this.leaving.push(leave);
    if (call.leaveAfter !== undefined) later(call.leaveAfter, leave);
    if (!call.times) return;
    later(call.every ?? 1000, () => {
      facts.insideAction++;
      this.request(`${name}'`, { ...call, times: call.times! - 1 });
      facts.insideAction--;
    });
  }

  private reject(who: string, which: 'latest' | 'oldest' | 'foreign'): void {
    const { facts, tokens, rejections, token$ } = this.model;
    const { known } = this.hooks;
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
    if (wasClosed) {
      pass();
      return;
    }
    const given = { who, token: value, kind: 'explicit', resource: null, isLag: false, isFinal: true } as const;
    rejections.reject(newRejection({ ...given, session: tokens.sessions.get(value) }), pass);
  }
}
