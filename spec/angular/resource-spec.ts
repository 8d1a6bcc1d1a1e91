import { API, initTestBed, setUp, type Setup } from './support.js';
import { HttpClient, httpResource } from '@angular/common/http';
import { provideZonelessChangeDetection, resource, signal, TransferState, type Resource } from '@angular/core';
import { rxResource } from '@angular/core/rxjs-interop';
import { TestBed } from '@angular/core/testing';
import { firstValueFrom, NEVER } from 'rxjs';

initTestBed();

const URL_OF_ORDERS = `${API}/orders`;
const http = () => TestBed.inject(HttpClient);
/** Resources settle in microtasks, and their effects run by a tick. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  TestBed.tick();
}

interface Params {
  readonly page: () => number | undefined;
}
/** Each makes a resource of the orders of a page, as an application does. */
const KINDS: readonly (readonly [
  string,
  (params: Params) => Resource<string[] | undefined> & { reload(): boolean },
])[] = [
  [
    'httpResource',
    ({ page }) =>
      httpResource<string[]>(() => (page() === undefined ? undefined : `${URL_OF_ORDERS}?page=${String(page())}`)),
  ],
  [
    'rxResource',
    ({ page }) =>
      rxResource({
        params: page,
        stream: ({ params }) => http().get<string[]>(`${URL_OF_ORDERS}?page=${String(params)}`),
      }),
  ],
  [
    'resource',
    ({ page }) =>
      resource({
        params: page,
        loader: ({ params }) => firstValueFrom(http().get<string[]>(`${URL_OF_ORDERS}?page=${String(params)}`)),
      }),
  ],
];

describe.each(KINDS)('%s', (kind, make) => {
  function open(setup: Setup = {}) {
    const page = signal<number | undefined>(1);
    const { controller, token$, asked } = setUp({
      ...setup,
      providers: [provideZonelessChangeDetection(), { provide: TransferState, useValue: undefined }],
    });
    const orders = TestBed.runInInjectionContext(() => make({ page }));
    TestBed.tick();
    const next = (n = page()) => {
      const call = controller.expectOne(`${URL_OF_ORDERS}?page=${String(n)}`);
      return { call, token: call.request.headers.get('Authorization') };
    };
    return { page, controller, token$, asked, orders, next };
  }
  const refusal = { status: 401, statusText: 'Refused' };

  it('should stay loading through a refusal, and resolve with the answer to the repeat', async () => {
    const { orders, next } = open();
    next().call.flush(null, refusal);
    const { call, token } = next();
    await settle();
    expect([token, orders.status()]).toEqual(['Bearer T2', 'loading']);
    call.flush(['tea']);
    await settle();
    expect([orders.status(), orders.value()]).toEqual(['resolved', ['tea']]);
  });

  it('should fail with the second refusal, and carry a new token when it is reloaded', async () => {
    const { orders, next, asked } = open();
    next().call.flush(null, refusal);
    next().call.flush(null, refusal);
    await settle();
    expect([orders.status(), orders.error()]).toEqual(['error', expect.objectContaining({ status: 401 })]);
    orders.reload();
    await settle();
    const { call, token } = next();
    expect([token, asked.length]).toEqual(['Bearer T2', 2]);
    call.flush(['tea']);
    await settle();
    expect(orders.value()).toEqual(['tea']);
  });

  it('should show the answer to the last parameters when these change while it waits for a token', async () => {
    let grant: ((response: object) => void) | undefined;
    const { page, orders, next } = open({ source: () => new Promise<never>((resolve) => (grant = resolve as never)) });
    await settle();
    page.set(2);
    await settle();
    grant?.({ access_token: 'T1', expires_in: 60 });
    await settle();
    // The loader of a `resource` is a promise: to end its request, it must hand `abortSignal` on.
    if (kind === 'resource') next(1).call.flush(['old']);
    next(2).call.flush(['new']);
    await settle();
    expect(orders.value()).toEqual(['new']);
  });

  it('should fail with what says that no token came', async () => {
    const { orders } = open({ source: () => NEVER, maxWait: 20 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    await settle();
    // httpResource and rxResource hand the error on as it is.
    expect([orders.status(), orders.error()]).toEqual([
      'error',
      expect.objectContaining({ name: 'TokenUnavailableError' }),
    ]);
  });
});
