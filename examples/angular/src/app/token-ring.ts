import { ChangeDetectionStrategy, Component, computed } from '@angular/core';
import { injectToken } from '../fresh-token';

/** The token's life as a ring that shrinks, drawn by CSS alone: a new token is a new circle. */
@Component({
  selector: 'app-token-ring',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <svg viewBox="0 0 120 120" role="img" [attr.aria-label]="label()">
      <circle class="track" cx="60" cy="60" r="52" />
      @for (life of lives(); track life.id) {
        <circle
          class="life"
          cx="60"
          cy="60"
          r="52"
          pathLength="100"
          [style.animation-duration.ms]="life.length"
          [style.animation-delay.ms]="-life.age"
        />
      }
    </svg>
    <div class="middle" aria-hidden="true">
      @if (token(); as token) {
        <span class="id">{{ token.id }}</span>
        <span class="hint">{{ seconds() }} s in all</span>
      } @else {
        <span class="id">no token</span>
      }
    </div>
  `,
})
export class TokenRing {
  protected readonly token = injectToken();
  protected readonly lives = computed(() => {
    const token = this.token();
    return token ? [{ id: token.id, length: token.expiresAt - token.issuedAt, age: Date.now() - token.issuedAt }] : [];
  });
  protected readonly seconds = computed(() => Math.round((this.lives()[0]?.length ?? 0) / 1000));
  protected readonly label = computed(() =>
    this.token() ? `Token ${this.token()?.id}, lives ${this.seconds()} seconds` : 'No token',
  );
}
