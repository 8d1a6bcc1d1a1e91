import { ExportResultCode } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createTokenStream } from 'rx-fresh-token';
import { openaiByFetch, openaiWithToken } from './openai.recipe.js';
import { exporterWithToken } from './otlp.recipe.js';
import { Api } from './support.js';
import { poolWithToken } from './undici.recipe.js';

let api: Api;
beforeEach(() => {
  api = new Api();
});
afterEach(() => api.close());

/** The recipe asks `takeToken` for each request. A rejection reaches the caller, who says `reject`. */
async function expectFreshToken(call: () => Promise<unknown>): Promise<void> {
  await api.throughThreeTokens(call);
  expect(api.rejected).toBe(0);
  const rejected = api.token$.current;
  api.revoke();
  await expect(call()).rejects.toThrow();
  expect(api.rejected).toBeGreaterThan(0);
  if (rejected) api.token$.reject(rejected);
  await call();
  expect(api.expired).toBe(0);
}

it('OpenAI: the key function is asked for each request', async () => {
  const client = openaiWithToken(api.token$, await api.listen());
  await expectFreshToken(() => client.models.retrieve('small'));
});

it('OpenAI: createFetch repeats a rejected request', async () => {
  const client = openaiByFetch(api.token$, await api.listen());
  const call = () => client.models.retrieve('small');
  await api.throughThreeTokens(call);
  expect(api.rejected).toBe(0);
  api.revoke();
  await call();
  expect(api.rejected).toBe(1);
  expect(api.expired).toBe(0);
});

it('undici: the interceptor asks for each request', async () => {
  const pool = poolWithToken(api.token$, await api.listen());
  try {
    await expectFreshToken(async () => {
      const { statusCode, body } = await pool.request({ path: '/orders', method: 'GET' });
      await body.dump();
      if (statusCode !== 200) throw new Error(`status ${statusCode}`);
    });
  } finally {
    await pool.close();
  }
});

it('undici: without a token the request fails', async () => {
  const token$ = createTokenStream(() => Promise.reject(new Error('signed out')), { isPermanent: () => true });
  const pool = poolWithToken(token$, await api.listen());
  await expect(pool.request({ path: '/orders', method: 'GET' })).rejects.toThrow('signed out');
  await pool.close();
});

it('OTLP: the function of headers is asked for each export', async () => {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  provider.getTracer('recipes').startSpan('order').end();
  const exporter = exporterWithToken(api.token$, await api.listen());
  const spans = memory.getFinishedSpans();
  await expectFreshToken(
    () =>
      new Promise<void>((done, fail) =>
        exporter.export(spans, ({ code, error }) =>
          code === ExportResultCode.SUCCESS ? done() : fail(error ?? new Error('not exported')),
        ),
      ),
  );
  await exporter.shutdown();
});
