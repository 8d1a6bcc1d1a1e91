/** What is known of a connection, and of those that replace it: which one is in use, and what their end will say. */
import { BehaviorSubject, first, Subject, type Observable } from 'rxjs';
import { sameToken } from '../token/decisions/accessToken.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import type { ConnectionEnd } from './ends.js';

/** Each connection is known by what closes it. */
export class ConnectionState {
  private inUse: Subject<void> | undefined;
  /** The connection that is opening in the place of the one in use. */
  private successor: Subject<void> | undefined;
  private readonly wasCurrent: boolean;
  private readonly openedAt$ = new BehaviorSubject(Infinity);
  /** Emits once, when the first connection is open. */
  readonly isOpen$ = this.openedAt$.pipe(first((openedAt) => openedAt < Infinity));
  hasMessage = false;
  /** The last token that the server was told over the connection. */
  announced: AccessToken | undefined;

  constructor(
    taken: AccessToken,
    private readonly manager: Pick<TokenManager, 'current' | 'now'>,
  ) {
    this.wasCurrent = sameToken(manager.current(), taken);
  }

  /**
   * Another connection begins to open. A successor that is still opening is given up: there is a newer token.
   *
   * @returns emits when the connection must be closed
   */
  begin(): Observable<void> {
    const close$ = new Subject<void>();
    this.successor?.next();
    if (this.inUse) this.successor = close$;
    else this.inUse = close$;
    return close$;
  }

  /** The connection is open, unless it has ended or was given up. A successor takes the place of the one in use. */
  opened(close$: Observable<void>): void {
    if (close$ !== this.inUse && close$ !== this.successor) return;
    if (close$ === this.successor) this.inUse?.next();
    this.openedAt$.next(Math.min(this.openedAt$.value, this.manager.now()));
  }

  closed(close$: Observable<void>): void {
    if (close$ === this.inUse) this.inUse = this.successor;
    this.successor = undefined;
  }

  /** Whether all end with this connection. To be asked before `closed` is called. */
  isLast(close$: Observable<void>, isFinal: () => boolean): boolean {
    // While another one opens in its place, the old one may end with anything: the server may allow one only.
    return !this.successor || (close$ === this.successor && isFinal());
  }

  /** @param token of the connection that has ended */
  endOf(reason: unknown, token: AccessToken): ConnectionEnd {
    const { announced = token, hasMessage, manager } = this;
    const isTokenOver = this.wasCurrent && !sameToken(manager.current(), announced);
    return { reason, token: announced, isTokenOver, hasMessage, openFor: manager.now() - this.openedAt$.value };
  }
}
