/** The two clients: on this library, and as many services do it today. */
export type LaneName = 'ours' | 'theirs';

/** Why a token was asked for: the library's reasons. The status quo knows the first and the last but one. */
export type Reason = 'initial' | 'scheduled' | 'expired' | 'rejected' | 'manual';

/**
 * What happened, as the page is told. `at` is in ms on the clock of the run, which the button "sleep" turns forward.
 * Tokens go by their number in their lane, from 0, and by their fingerprint: a secret never gets this far.
 */
export type LiveEvent = LaneEvent | FaultEvent;

export type LaneEvent = { readonly lane: LaneName; readonly at: number } &
  /** A token is asked for. */
  (
    | { readonly type: 'refresh'; readonly reason: Reason; readonly attempt: number }
    /** It is there. Its life counts from `issuedAt`, when it was asked for; `expiresAt` is null when nobody knows. */
    | {
        readonly type: 'token';
        readonly token: number;
        readonly id: string;
        readonly issuedAt: number;
        readonly expiresAt: number | null;
        readonly reason: Reason;
      }
    /** It is not. `retryIn` is null when no further attempt is planned. */
    | { readonly type: 'failure'; readonly attempt: number; readonly message: string; readonly retryIn: number | null }
    /** The client was told that its token is refused. */
    | {
        readonly type: 'rejected';
        readonly token: number;
        readonly outcome: 'refreshing' | 'alreadyReplaced' | 'suppressed';
      }
    /** A token ended without a successor. */
    | { readonly type: 'ended'; readonly token: number }
    /** A request left. `waited` is the time since it was asked for; `again` marks a repeat. */
    | {
        readonly type: 'sent';
        readonly request: number;
        readonly token: number;
        readonly path: string;
        readonly waited: number;
        readonly again: boolean;
      }
    /** It was answered; `status` is 0 when the network failed. */
    | { readonly type: 'answered'; readonly request: number; readonly status: number; readonly waited: number }
    /**
     * The lane's WebSocket opened, brought a message, was told a new token, or ended. `missed`: messages that were sent
     * to nobody.
     */
    | {
        readonly type: 'socket';
        readonly what: 'opened' | 'message' | 'renewed' | 'ended';
        readonly token: number;
        readonly missed: number;
      }
  );

export type FaultKind = 'revoke' | 'outage' | 'forbid' | 'allow' | 'sleep' | 'cut';

/** Somebody pressed a button. */
export interface FaultEvent {
  readonly type: 'fault';
  readonly at: number;
  readonly kind: FaultKind;
  /** When it is over; null for what lasts, or has no duration. */
  readonly until: number | null;
  /** The tokens revoked, by lane, or the path forbidden. */
  readonly tokens?: Readonly<Partial<Record<LaneName, number>>>;
  readonly path?: string;
}

export interface Lane {
  readonly name: LaneName;
  readonly title: string;
  readonly summary: string;
}

/** The first message on a connection: all that a page needs that was opened just now. */
export interface Snapshot {
  readonly now: number;
  readonly intro: string;
  readonly lanes: readonly Lane[];
  /** The path that the button forbids. */
  readonly path: string;
  readonly forbidden: boolean;
  /** Whether each lane has a WebSocket. */
  readonly sockets: boolean;
  /** Counted before the first of `events`. */
  readonly counters: Readonly<Partial<Record<LaneName, Counters>>>;
  readonly events: readonly LiveEvent[];
}

export interface Counters {
  /** Requests that the API took. */
  readonly accepted: number;
  /** 401 and 403 answers. */
  readonly refused: number;
  /** Other answers, and none. */
  readonly failed: number;
  readonly tokens: number;
  /** Milliseconds, from asking for a request until the sending that was taken left. */
  readonly longestWait: number;
  /** Messages of the WebSocket's server that came while the connection was down. */
  readonly missed: number;
}
