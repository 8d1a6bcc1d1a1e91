// Run by noGlobalFetch-spec.ts in a Node without a global fetch; prints one JSON object.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { firstValueFrom } from 'rxjs';
import { createFetch, createHttpClient, createTokenStream } from 'rx-fresh-token';

const seen: unknown[] = [];
const server = createServer((request, response) => {
  void buffer(request).then((body) => {
    const { authorization, 'x-key': key } = request.headers;
    seen.push([request.method, request.url, authorization ?? key ?? null, body.toString()]);
    if (request.url === '/away') response.writeHead(302, { location: `http://localhost:${String(port)}/landed` }).end();
    else if (request.url === '/hang') response.writeHead(200).write('{');
    else if (authorization === 'Bearer T1' || key === 'T1')
      response.writeHead(401, { 'content-type': 'application/json' }).end('"rejected"');
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const baseUrl = `http://127.0.0.1:${String(port)}`;

let fetched = 0;
const renewed = () => {
  fetched = 0;
  return createTokenStream(() => Promise.resolve({ access_token: `T${String(++fetched)}`, expires_in: 3600 }));
};

async function outcomeOf(run: () => Promise<unknown>): Promise<unknown> {
  seen.length = 0;
  try {
    return { value: await run(), seen: [...seen], fetched };
  } catch (error) {
    const { name, message, code, cause } = error as Error & { code?: string };
    return { name, message, code, cause: (cause as { code?: string } | undefined)?.code, seen: [...seen] };
  }
}

const post = (body: unknown) => () =>
  createFetch(renewed(), { baseUrl })('/post', { method: 'POST', body: body as BodyInit }).then(
    (response) => response.status,
  );
const abortLater = (ms: number) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('enough')), ms);
  return controller.signal;
};
class FormDataLike {
  readonly [Symbol.toStringTag] = 'FormData';
}

const outcomes: Record<string, unknown> = {
  globals: [typeof fetch, typeof Headers, typeof Request, typeof Response].join(),
  repeat: await outcomeOf(async () => {
    const response = await createFetch(renewed(), { baseUrl })('/orders', { headers: { 'x-a': '1' } });
    return [response.status, await response.text()];
  }),
  custom: await outcomeOf(async () => {
    const authorize = (headers: Headers, token: { value: string }) => headers.set('x-key', token.value);
    return (await createFetch(renewed(), { baseUrl, authorize })('/orders', { headers: [['x-a', '1']] })).status;
  }),
  client: await outcomeOf(() =>
    firstValueFrom(createHttpClient(renewed(), { baseUrl, headers: { 'x-b': '2' } }).post('/orders', { n: 1 })),
  ),
  string: await outcomeOf(post('text')),
  bytes: await outcomeOf(post(Buffer.from('bytes'))),
  params: await outcomeOf(post(new URLSearchParams('a=b'))),
  nodeStream: await outcomeOf(post(Readable.from([Buffer.from('once')]))),
  away: await outcomeOf(async () => (await createFetch(renewed(), { baseUrl })('/away')).status),
  webStream: await outcomeOf(post(new Blob(['x']).stream())),
  formData: await outcomeOf(post(new FormDataLike())),
  request: await outcomeOf(() =>
    createFetch(renewed(), { baseUrl })({
      method: 'GET',
      url: `${baseUrl}/x`,
      headers: new Map(),
      clone: () => ({ [Symbol.toStringTag]: 'Request' }),
    } as unknown as Request),
  ),
  rejected: await outcomeOf(() =>
    createFetch(renewed(), { allowedOrigins: ['http://127.0.0.1:1'] })('http://127.0.0.1:1/?q=SECRET'),
  ),
  aborted: await outcomeOf(() =>
    createFetch(renewed(), { baseUrl })('/x', { signal: AbortSignal.abort(new Error('enough')) }),
  ),
  abortedInFlight: await outcomeOf(async () =>
    (await createFetch(renewed(), { baseUrl })('/hang', { signal: abortLater(300) })).text(),
  ),
  timeout: await outcomeOf(() =>
    firstValueFrom(createHttpClient(renewed(), { baseUrl }).get('/hang', { timeout: 40 })),
  ),
};
process.stdout.write(JSON.stringify(outcomes));
server.closeAllConnections();
server.close();
