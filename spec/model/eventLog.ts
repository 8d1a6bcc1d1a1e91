import type { AccessToken, TokenEvent } from 'rx-fresh-token';
import type { Facts } from './facts.js';
import type { Fetches } from './fetches.js';
import type { Rejections } from './rejections.js';
import type { Tokens } from './tokens.js';

/** What two listeners are told from the start. */
export class EventLog {
  readonly heard: readonly [TokenEvent[], TokenEvent[]] = [[], []];
  private readonly started: string[] = [];
  /** The tokens of which `tokenExpired` was emitted. */
  private readonly ended = new WeakSet<AccessToken>();
  /** How often a session or the stream ended: then a refresh that was announced may not come. */
  private ends = 0;

  constructor(
    private readonly facts: Facts,
    private readonly tokens: Tokens,
    private readonly fetches: Fetches,
    private readonly rejections: Rejections,
  ) {}

  /** The first listener hears an event. */
  event(event: TokenEvent): void {
    const { facts, tokens } = this;
    switch (event.type) {
      case 'refreshStarted':
        this.started.push(`${event.reason} ${String(event.attempt)}`);
        if (this.started.length > this.fetches.asks.length) this.fetches.started(event.reason);
        break;
      case 'tokenChanged':
        if (tokens.expectedChanges && tokens.expectedChanges.shift() !== event.token.value)
          facts.violated('38', `said that ${event.token.value} came, which is not so`);
        break;
      case 'refreshFailed':
        this.fetches.told(event.error, event.message, event.retryIn, event.permanent);
        break;
      case 'tokenRejected':
        this.rejections.told(event.token.value, event.outcome);
        break;
      case 'tokenExpired':
        // By the token object: the source may have given the same value again, with a life of its own.
        if (this.ended.has(event.token)) facts.violated('38', `said twice that ${event.token.value} ended`);
        this.ended.add(event.token);
        if (tokens.held?.value === event.token.value) tokens.held.isEndTold = true;
        if (facts.jumps === 0 && facts.clock < event.token.expiresAt)
          facts.violated('38', `said that ${event.token.value} ended, which still lives`);
        break;
      case 'idle':
        this.fetches.idle();
        break;
      case 'signedOut':
      case 'closed':
        this.ends++;
    }
  }

  /** After each thing that happens: both have heard the same, and everything that happened. */
  settled(): void {
    const { facts, tokens, fetches } = this;
    const [first, second] = this.heard;
    if (first.length !== second.length || first.some((event, index) => event !== second[index]))
      facts.violated('38', `${first.map(nameOf).join(' ')} | ${second.map(nameOf).join(' ')}`);
    first.length = second.length = 0;
    fetches.started(null);
    if (facts.isClosed) return;
    if (tokens.expectedChanges && tokens.expectedChanges.length > 0)
      facts.violated('38', `nothing said that ${String(tokens.expectedChanges[0])} came`);
    tokens.expectedChanges = [];
    if (this.ends === 0 && this.started.join() !== fetches.asks.join())
      facts.violated('38', `announced ${this.started.join()}, asked ${fetches.asks.join()}`);
    this.ends = this.started.length = fetches.asks.length = 0;
  }
}

const nameOf = ({ type, at }: TokenEvent) => `${type} ${String(at)}`;
