import * as fc from 'fast-check';
import { DAY, maybe, record, sometimes, weighted, type Times } from './arbitraries.js';
import type { Issuer, TokenAnswer } from './history.js';

/** A token endpoint, and what it answers. */
export function issuersOf(scale: number, { part, quick, latency }: Times): fc.Arbitrary<Issuer> {
  const answerOf = (kind: fc.Arbitrary<TokenAnswer['kind']>) =>
    record<TokenAnswer>({
      kind,
      latency,
      lifetime: fc.oneof(
        { weight: 6, arbitrary: part(1, 1, 0.5, 2) },
        {
          weight: 3,
          arbitrary: fc.constantFrom<TokenAnswer['lifetime'][]>(undefined, 'none', 0, -1000, 'nonsense', 1),
        },
      ),
      retryAfter: maybe(fc.oneof(part(0, 0.1, 1), fc.constantFrom(100, 2000, DAY)), 4),
    });
  const failure = weighted<TokenAnswer['kind']>(
    [4, 'transient'],
    [3, 'permanent'],
    [1, 'hang'],
    [1, 'throw'],
    [1, 'empty'],
    [1, 'invalid'],
    [1, 'oauthError'],
    [1, 'mistake'],
  );
  return record<Issuer>({
    // A source that hands out a token that is over is asked once a second: not for days.
    kind:
      scale > 600_000
        ? fc.constant('opaque' as const)
        : weighted<Issuer['kind']>([6, 'opaque'], [2, 'jwt'], [1, 'static'], [1, 'cached'], [1, 'cachedJwt']),
    latency: quick,
    revokesOld: sometimes(3),
    first: fc.array(
      answerOf(
        fc.oneof(
          { weight: 4, arbitrary: fc.constant<'token'>('token') },
          { weight: 1, arbitrary: fc.constant<'same'>('same') },
          { weight: 4, arbitrary: failure },
        ),
      ),
      { maxLength: 5 },
    ),
    // A server that is down is asked every few seconds: not for days.
    forever: scale > 30_000 ? fc.constant(undefined) : maybe(answerOf(failure), 5),
  });
}
