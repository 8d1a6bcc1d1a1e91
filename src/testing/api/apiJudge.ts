/** Decides which status a test API answers, by the token of the request and by what the test has forbidden. */
import { wrong } from '../../internal/values/validate.js';
import { requireSteps } from '../settings.js';
import type { TokenFate } from '../tokenRegister.js';

/**
 * What the API does with a call: `'ok'` judges its token; a status from 200 to 599 is answered whatever the token;
 * `'hang'` never answers; `'down'` breaks the connection.
 */
export type ApiStep = 'ok' | 'hang' | 'down' | number;

/** What an API finds in a request: the fate of the token it carries, or `missing`. */
export type Credential = TokenFate | 'missing';

/**
 * How a resource is forbidden: by a bare 403, which may blame the token, or by one that says the scope is at fault (RFC
 * 6750 section 3.1).
 */
export type Forbidden = 'bare' | 'insufficient_scope';

export interface Verdict {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const INVALID = 'Bearer error="invalid_token"';

const verdict = (status: number, challenge?: string): Verdict => ({
  status,
  headers: challenge === undefined ? {} : { 'www-authenticate': challenge },
});

/**
 * Decides what an API answers to a credential, before it looks at the request: 200 if it has no objection. RFC 6750
 * section 3 asks for a challenge, and for none of the error codes where no token came.
 */
export function createJudge(refuseWith: 401 | 403 = 401) {
  if (![401, 403].includes(refuseWith)) throw wrong('refuseWith', refuseWith, '401 or 403');
  const forbidden = new Map<string, Forbidden>();
  return {
    judge: (step: ApiStep, credential: Credential, path: string): Verdict => {
      if (typeof step === 'number') return verdict(step, step === 401 ? INVALID : undefined);
      if (credential !== 'alive')
        return refuseWith === 403 ? verdict(403) : verdict(401, credential === 'missing' ? 'Bearer' : INVALID);
      const how = forbidden.get(path);
      if (how === undefined) return verdict(200);
      return verdict(403, how === 'bare' ? undefined : 'Bearer error="insufficient_scope"');
    },
    forbid: (path: string, how: Forbidden = 'bare'): void => {
      // A path that no request can have would be forbidden in vain.
      if (!URL.canParse(path, 'http://api') || new URL(path, 'http://api').pathname !== path)
        throw wrong('path', path, 'a path as requests have it: encoded, from "/" on, without query');
      if (!['bare', 'insufficient_scope'].includes(how)) throw wrong('how', how, '"bare" or "insufficient_scope"');
      forbidden.set(path, how);
    },
    allow: (path: string): void => {
      forbidden.delete(path);
    },
  };
}

export function requireApiSteps(steps: unknown): void {
  requireSteps(
    'steps',
    steps,
    (step) =>
      ['ok', 'hang', 'down'].includes(step as string) ||
      (Number.isInteger(step) && Number(step) >= 200 && Number(step) <= 599),
    '"ok", "hang", "down" or a status from 200 to 599',
  );
}
