import { HttpClient, HttpErrorResponse } from '@angular/common/http';
import { computed, inject, Injectable, signal } from '@angular/core';

export interface Order {
  readonly id: number;
  readonly item: string;
  readonly quantity: number;
  readonly state: 'on its way' | 'delivered' | 'failed';
  /** Milliseconds. */
  readonly took?: number;
  readonly problem?: string;
}

const SHOWN = 8;

/** Posts orders. Of tokens it knows nothing: the interceptor does. */
@Injectable({ providedIn: 'root' })
export class Orders {
  private readonly http = inject(HttpClient);
  private readonly all = signal<readonly Order[]>([]);

  readonly latest = computed(() => this.all().slice(-SHOWN).reverse());
  readonly delivered = computed(() => this.all().filter(({ state }) => state === 'delivered').length);
  readonly failed = computed(() => this.all().filter(({ state }) => state === 'failed').length);
  readonly longest = computed(() => Math.max(0, ...this.all().map(({ took }) => took ?? 0)));

  place(item: string, quantity: number): void {
    const id = this.all().length + 1;
    const started = performance.now();
    this.all.update((orders) => [...orders, { id, item, quantity, state: 'on its way' }]);
    const settle = (change: Partial<Order>) => {
      const took = Math.round(performance.now() - started);
      this.all.update((orders) => orders.map((order) => (order.id === id ? { ...order, ...change, took } : order)));
    };
    this.http
      .post('/api/orders', { item, quantity }, { headers: { 'Idempotency-Key': crypto.randomUUID() } })
      .subscribe({
        next: () => settle({ state: 'delivered' }),
        error: (error: unknown) =>
          settle({ state: 'failed', problem: error instanceof HttpErrorResponse ? `${error.status}` : 'not sent' }),
      });
  }
}
