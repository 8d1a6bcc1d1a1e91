import { API, initTestBed, setUp } from './support.js';
import { HttpClient, HttpParams, HttpRequest, type HttpEvent } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { Subject, take } from 'rxjs';
import type { TokenResponse } from 'rx-fresh-token';

initTestBed();

const form = () => {
  const data = new FormData();
  data.append('n', '1');
  return data;
};

/** A body, what its owner does with it after the call, and what Angular sends of it. */
const bodies: [string, () => unknown, (body: never) => void, string][] = [
  [
    'the value of a form',
    () => ({ item: { n: 1 } }),
    (body: { item: { n: number } }) => (body.item.n = 2),
    '{"item":{"n":1}}',
  ],
  ['an array', () => [1], (body: number[]) => body.push(2), '[1]'],
  [
    'an object with a Date',
    () => ({ at: new Date(0) }),
    ({ at }: { at: Date }) => at.setTime(1),
    '{"at":"1970-01-01T00:00:00.000Z"}',
  ],
  ['a Date', () => new Date(0), (body: Date) => body.setTime(1), '"1970-01-01T00:00:00.000Z"'],
  ['FormData', form, (body: FormData) => body.set('n', '2'), 'n=1'],
  ['URLSearchParams', () => new URLSearchParams('n=1'), (body: URLSearchParams) => body.set('n', '2'), 'n=1'],
  ['an ArrayBuffer', () => Uint8Array.of(49).buffer, (body: ArrayBuffer) => new Uint8Array(body).fill(50), '1'],
  // Angular sends a view as JSON.
  ['a Uint8Array', () => Uint8Array.of(49), (body: Uint8Array) => body.fill(50), '{"0":49}'],
  ['a Buffer', () => Buffer.from('1'), (body: Buffer) => body.fill('2'), '{"type":"Buffer","data":[49]}'],
];

async function wireOf(request: HttpRequest<unknown>): Promise<string> {
  const body = request.serializeBody();
  return body instanceof FormData ? `n=${(body.get('n') as string | null) ?? ''}` : new Response(body).text();
}

describe('a body that is changed after the call', () => {
  it.each(bodies)(
    'should be sent as it was while the first token is awaited: %s',
    async (_what, make, change, text) => {
      const arrives = new Subject<TokenResponse>();
      const { controller } = setUp({ source: () => arrives.pipe(take(1)) });
      const body = make();
      TestBed.inject(HttpClient).post(`${API}/orders`, body).subscribe();
      change(body as never);
      arrives.next({ access_token: 'T1', expires_in: 60 });
      const sent = controller.expectOne(`${API}/orders`);
      expect(await wireOf(sent.request)).toBe(text);
      sent.flush(1);
    },
  );

  it.each(bodies)('should be repeated as it was: %s', async (_what, make, change, text) => {
    const { controller } = setUp();
    const body = make();
    TestBed.inject(HttpClient).post(`${API}/orders`, body).subscribe();
    change(body as never);
    const first = controller.expectOne(`${API}/orders`);
    expect(await wireOf(first.request)).toBe(text);
    first.flush(null, { status: 401, statusText: 'Refused' });
    const second = controller.expectOne(`${API}/orders`);
    expect(await wireOf(second.request)).toBe(text);
    expect(second.request.detectContentTypeHeader()).toBe(first.request.detectContentTypeHeader());
    second.flush(1);
  });

  it.each(bodies)('should have the content type that Angular gives it: %s', (_what, make) => {
    const { controller } = setUp();
    const body = make();
    TestBed.inject(HttpClient).post(`${API}/orders`, body).subscribe();
    const sent = controller.expectOne(`${API}/orders`);
    expect(sent.request.detectContentTypeHeader()).toBe(new HttpRequest('POST', '', body).detectContentTypeHeader());
    sent.flush(1);
  });

  it('should be each post’s own: one FormData used for two', async () => {
    const arrives = new Subject<TokenResponse>();
    const { controller } = setUp({ source: () => arrives.pipe(take(1)) });
    const data = form();
    TestBed.inject(HttpClient).post(`${API}/1`, data).subscribe();
    data.set('n', '2');
    TestBed.inject(HttpClient).post(`${API}/2`, data).subscribe();
    arrives.next({ access_token: 'T1', expires_in: 60 });
    const sent = ['1', '2'].map((path) => controller.expectOne(`${API}/${path}`));
    expect(await Promise.all(sent.map(({ request }) => wireOf(request)))).toEqual(['n=1', 'n=2']);
    for (const each of sent) each.flush(1);
  });
});

it('should send headers and params as they were at the call', () => {
  const arrives = new Subject<TokenResponse>();
  const { controller } = setUp({ source: () => arrives.pipe(take(1)) });
  const headers = { 'x-order': '1' };
  const params = { tags: ['a'] };
  TestBed.inject(HttpClient).get(`${API}/orders`, { headers, params }).subscribe();
  headers['x-order'] = '2';
  params.tags.push('b');
  arrives.next({ access_token: 'T1', expires_in: 60 });
  const sent = controller.expectOne(`${API}/orders?tags=a`);
  expect(sent.request.headers.get('x-order')).toBe('1');
  sent.flush(1);
});

it.each<[string, unknown]>([
  ['HttpParams', new HttpParams({ fromObject: { n: 1 } })],
  ['a text', 'n'],
  ['a number', 7],
  ['null', null],
  ['a Blob', new Blob(['n'])],
])('should send what cannot change as it is: %s', (_what, body) => {
  const { controller } = setUp();
  const seen: HttpEvent<unknown>[] = [];
  TestBed.inject(HttpClient)
    .post(`${API}/orders`, body, { observe: 'events' })
    .subscribe((event) => seen.push(event));
  const sent = controller.expectOne(`${API}/orders`);
  expect(sent.request.body).toBe(body);
  sent.flush(1);
  expect(seen).toHaveLength(2);
});

it('should be seen by a later interceptor as it was given: files, Dates, classes', () => {
  class Order {
    readonly #unit = 'cups';
    constructor(readonly n: number) {}
    unit() {
      return `${String(this.n)} ${this.#unit}`;
    }
  }
  const seen: unknown[] = [];
  const { controller } = setUp({
    inner: [
      (request, next) => {
        seen.push(request.body);
        return next(request);
      },
    ],
  });
  const body = {
    file: new File(['tea'], 'tea.txt'),
    at: new Date(0),
    days: new Map([[1, 'Monday']]),
    order: new Order(2),
    items: [{ at: new Date(1), note: undefined, size: 5n }],
    bytes: Uint8Array.of(1),
  };
  TestBed.inject(HttpClient).post(`${API}/orders`, body).subscribe();
  controller.expectOne(`${API}/orders`).flush(1);
  expect(seen).toEqual([body]);
  const [copy] = seen as [typeof body];
  expect([copy.file, copy.days, copy.order instanceof Order]).toEqual([body.file, body.days, true]);
  expect([copy.at === body.at, copy.items === body.items, copy.bytes === body.bytes]).toEqual([false, false, false]);
});

it.each<[string, object, string]>([
  ['__proto__', JSON.parse('{"__proto__":{"n":1},"item":"tea"}') as object, '{"__proto__":{"n":1},"item":"tea"}'],
  [
    'n',
    Object.defineProperty(Object.create({ set n(_value: number) {} }) as object, 'n', { value: 1, enumerable: true }),
    '{"n":1}',
  ],
])('should be sent with a member of its own that the prototype has a setter for: %s', (_name, body, text) => {
  const { controller } = setUp();
  TestBed.inject(HttpClient).post(`${API}/orders`, body).subscribe();
  Reflect.deleteProperty(body, 'item');
  const sent = controller.expectOne(`${API}/orders`);
  expect(sent.request.serializeBody()).toBe(text);
  sent.flush(1);
});
