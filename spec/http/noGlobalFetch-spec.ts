import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '../..');

interface Outcome {
  value?: unknown;
  seen: unknown[];
  fetched?: number;
  name?: string;
  message?: string;
  code?: string;
  cause?: string;
}

describe('on a Node without a global fetch', () => {
  let outcomes: Record<string, Outcome>;

  beforeAll(async () => {
    const main = join(__dirname, 'noGlobalFetch.main.ts');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--no-experimental-fetch', '--import', 'tsx', main],
      { cwd: root },
    );
    outcomes = JSON.parse(stdout) as Record<string, Outcome>;
  }, 20_000);

  const of = (name: string): Outcome => outcomes[name]!;

  it('should be tested without one', () => {
    expect(outcomes.globals).toBe('undefined,undefined,undefined,undefined');
  });

  it('should use cross-fetch, and repeat once after a rejection', () => {
    expect(of('repeat')).toEqual({
      value: [200, '{"ok":true}'],
      seen: [
        ['GET', '/orders', 'Bearer T1', ''],
        ['GET', '/orders', 'Bearer T2', ''],
      ],
      fetched: 2,
    });
  });

  it('should call a custom authorize with Headers', () => {
    expect(of('custom')).toEqual({
      value: 200,
      seen: [
        ['GET', '/orders', 'T1', ''],
        ['GET', '/orders', 'T2', ''],
      ],
      fetched: 2,
    });
  });

  it('should send and parse JSON', () => {
    expect(of('client')).toMatchObject({
      value: { ok: true },
      seen: [expect.anything(), ['POST', '/orders', 'Bearer T2', '{"n":1}']],
    });
  });

  it.each([
    ['string', 'text'],
    ['bytes', 'bytes'],
    ['params', 'a=b'],
  ])('should repeat a body that can be repeated: %s', (name, text) => {
    expect(of(name)).toEqual({
      value: 200,
      seen: [
        ['POST', '/post', 'Bearer T1', text],
        ['POST', '/post', 'Bearer T2', text],
      ],
      fetched: 2,
    });
  });

  it('should send a Node stream once', () => {
    expect(of('nodeStream')).toMatchObject({ value: 401, seen: [['POST', '/post', 'Bearer T1', 'once']] });
  });

  it('should not carry the token to another origin', () => {
    expect(of('away')).toEqual({
      value: 200,
      seen: [
        ['GET', '/away', 'Bearer T1', ''],
        ['GET', '/landed', null, ''],
      ],
      fetched: 1,
    });
  });

  it.each([
    ['webStream', 'ReadableStream'],
    ['formData', 'FormData'],
    ['request', 'Request'],
  ])('should refuse, by a TypeError that names it, what cross-fetch would send as a text: %s', (name, kind) => {
    expect(of(name)).toMatchObject({ name: 'TypeError', seen: [] });
    expect(of(name).message).toContain(kind);
    expect(of(name).message).toContain('"fetch"');
  });

  it('should make a TypeError of a network that failed, without the query', () => {
    expect(of('rejected')).toMatchObject({ name: 'TypeError', cause: 'ECONNREFUSED' });
    expect(JSON.stringify(of('rejected'))).not.toContain('SECRET');
  });

  it('should keep the reason of an abort, and send nothing', () => {
    expect(of('aborted')).toMatchObject({ message: 'enough', seen: [] });
  });

  it('should end a body that was aborted', () => {
    expect(of('abortedInFlight').name).toBe('AbortError');
  });

  it('should bound a body that never ends by the timeout', () => {
    expect(of('timeout')).toMatchObject({ name: 'RequestTimeoutError', code: 'ERR_REQUEST_TIMEOUT' });
  });
});
