import { HttpClient } from '@angular/common/http';
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { interval, type Subscription } from 'rxjs';
import { TOKEN_STREAM } from '../fresh-token';
import { Orders } from './orders';
import { Toasts } from './toasts';
import { TokenRing } from './token-ring';

const ITEMS = ['Assam tea', 'Darjeeling', 'Earl Grey', 'Sencha', 'Rooibos'];

@Component({
  selector: 'app-root',
  imports: [TokenRing, Toasts],
  changeDetection: ChangeDetectionStrategy.OnPush,
  templateUrl: './app.html',
})
export class App {
  private readonly http = inject(HttpClient);
  private readonly token$ = inject(TOKEN_STREAM);
  protected readonly orders = inject(Orders);
  protected readonly items = ITEMS;
  protected readonly signedOut = signal(false);
  protected readonly broken = signal(false);
  protected readonly stream = signal<Subscription | null>(null);
  protected readonly steady = computed(() => this.stream() !== null);

  protected place(event: Event, item: string, quantity: string): void {
    event.preventDefault();
    // Enter in a field submits too.
    if (this.signedOut()) return;
    this.orders.place(item, Number(quantity));
  }

  protected toggle(): void {
    const running = this.stream();
    running?.unsubscribe();
    this.stream.set(
      running ? null : interval(300).subscribe((n) => this.orders.place(ITEMS[n % ITEMS.length] ?? '', 1 + (n % 3))),
    );
  }

  protected revoke(): void {
    this.http.post('/control/revoke', null).subscribe();
  }

  protected break(): void {
    this.broken.set(true);
    this.http.post('/control/break', null).subscribe(() => this.broken.set(false));
  }

  protected signOut(): void {
    this.stream()?.unsubscribe();
    this.stream.set(null);
    this.token$.close();
    this.signedOut.set(true);
  }

  protected signIn(): void {
    location.reload();
  }
}
