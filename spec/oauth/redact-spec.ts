import { inspect } from 'node:util';
import { redactedCause } from '../../src/oauth/endpoint/redact.js';

const SECRET = 's3cret/with+odd%characters';

describe('redactedCause', () => {
  const failed = (cause: unknown) =>
    Object.assign(new TypeError(`fetch failed for ${SECRET}`, { cause }), {
      input: SECRET,
      response: { body: SECRET },
    });

  it.each<[string, unknown, string, string | undefined]>([
    [
      'the code far down',
      failed(Object.assign(new Error(`connect ${SECRET}`), { code: 'ECONNREFUSED', address: SECRET })),
      'Error ECONNREFUSED',
      'ECONNREFUSED',
    ],
    ['a text that Node always uses', failed(new Error('bad port')), 'bad port', undefined],
    [
      'that a proxy refused the tunnel',
      failed(
        new Error('Request was cancelled.', {
          cause: Object.assign(new Error('Proxy response (407) !== 200 when HTTP Tunneling'), {
            code: 'UND_ERR_ABORTED',
          }),
        }),
      ),
      'Proxy response (407) !== 200 when HTTP Tunneling',
      undefined,
    ],
    ['the name alone', failed(undefined), 'TypeError', undefined],
    ['no code that is none', Object.assign(new Error(SECRET), { code: SECRET }), 'Error', undefined],
    ['no name that is none', Object.assign(new Error(SECRET), { name: `${SECRET} ` }), 'Error', undefined],
    ['something that is no error', { code: 'E_ODD', [SECRET]: SECRET }, 'Error E_ODD', 'E_ODD'],
  ])('should tell %s', (_what, failure, message, code) => {
    const cause = redactedCause(failure);
    expect(cause?.message).toBe(message);
    expect(cause?.code).toBe(code);
    expect(inspect(cause, { showHidden: true, depth: 10 })).not.toContain(SECRET);
  });

  it.each([[undefined], [null], [SECRET]])('should tell nothing of %j', (failure) => {
    expect(redactedCause(failure)).toBeUndefined();
  });

  it('should end where causes go round in circles', () => {
    const error = new Error('a');
    error.cause = error;
    expect(redactedCause(error)?.message).toBe('Error');
  });
});
