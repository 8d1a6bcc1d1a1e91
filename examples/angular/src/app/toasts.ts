import { ChangeDetectionStrategy, Component, DestroyRef, inject, NgZone, signal } from '@angular/core';
import type { TokenEvent } from 'rx-fresh-token';
import { TOKEN_STREAM } from '../fresh-token';

interface Toast {
  readonly id: number;
  readonly kind: 'good' | 'warn' | 'bad';
  readonly text: string;
}

const AT_MOST = 4;

/** What the token stream tells, for as long as it takes to read it. They go by the end of an animation: no timers. */
@Component({
  selector: 'app-toasts',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <ul aria-live="polite" aria-label="What happens to the token">
      @for (toast of toasts(); track toast.id) {
        <li [class]="toast.kind" (animationend)="dismiss(toast.id)">{{ toast.text }}</li>
      }
    </ul>
  `,
})
export class Toasts {
  protected readonly toasts = signal<readonly Toast[]>([]);

  constructor() {
    const zone = inject(NgZone);
    let last = 0;
    const describe = describer();
    const watch = inject(TOKEN_STREAM).events.subscribe((event) => {
      const said = describe(event);
      // The stream's timers run outside of the zone.
      if (said) zone.run(() => this.toasts.update((toasts) => [...toasts, { id: ++last, ...said }].slice(-AT_MOST)));
    });
    inject(DestroyRef).onDestroy(() => watch.unsubscribe());
  }

  protected dismiss(id: number): void {
    this.toasts.update((toasts) => toasts.filter((toast) => toast.id !== id));
  }
}

/** A renewal is told of only after something went wrong: one every few seconds would cover the orders. */
function describer(): (event: TokenEvent) => Omit<Toast, 'id'> | null {
  let troubled = true;
  return (event) => {
    if (event.type === 'tokenChanged') {
      const told = troubled;
      troubled = false;
      return told ? describe(event) : null;
    }
    troubled ||= event.type !== 'refreshStarted';
    return describe(event);
  };
}

function describe(event: TokenEvent): Omit<Toast, 'id'> | null {
  switch (event.type) {
    case 'tokenChanged':
      return {
        kind: 'good',
        text: event.previous
          ? `Renewed: ${event.token.id} replaces ${event.previous.id}`
          : `First token: ${event.token.id}`,
      };
    case 'refreshFailed':
      return {
        kind: 'warn',
        text:
          event.retryIn === null
            ? 'The renewal failed'
            : `The renewal failed; again in ${(event.retryIn / 1000).toFixed(1)} s`,
      };
    case 'tokenRejected':
      return {
        kind: 'warn',
        text: `${event.token.id} was refused: ${event.outcome === 'refreshing' ? 'fetching another' : 'a newer one is here'}`,
      };
    case 'tokenExpired':
      return { kind: 'bad', text: `${event.token.id} ended without a successor` };
    case 'closed':
      return { kind: 'bad', text: 'Signed out' };
    default:
      return null;
  }
}
