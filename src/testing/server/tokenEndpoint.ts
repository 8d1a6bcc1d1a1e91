/** The token endpoint of the test server, with the failures that a test can order. */
import { TokenEndpointError } from '../../errors.js';
import type { TokenResponse } from '../../token/types.js';
import { requireWords } from '../settings.js';

/** What is answered; `hang`: nothing; `down`: the connection breaks. */
export type Answer = JsonAnswer | 'hang' | 'down';

export interface JsonAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * How a token request is answered: `'ok'` by a token, `'transient'` by 503, `'permanent'` by 400 `invalid_client` (RFC
 * 6749 section 5.2), `'invalid'` by 200 without a token, `'hang'` never, `'down'` by a broken connection.
 */
export type ServerTokenStep = 'ok' | 'transient' | 'permanent' | 'invalid' | 'hang' | 'down';

const FAILURES: Readonly<Record<Exclude<ServerTokenStep, 'ok'>, Answer>> = {
  transient: { status: 503, body: { error: 'temporarily_unavailable' } },
  permanent: { status: 400, body: { error: 'invalid_client' } },
  invalid: { status: 200, body: {} },
  hang: 'hang',
  down: 'down',
};

/** @param nextToken issues a token; an error that it throws is a mistake of the test */
export function createTokenEndpoint(nextToken: () => TokenResponse) {
  const steps: ServerTokenStep[] = [];
  return {
    fail: (...next: readonly ServerTokenStep[]): void => {
      requireWords('steps', next, ['ok', ...Object.keys(FAILURES)]);
      steps.push(...next);
    },
    answer: (method: string | undefined): Answer => {
      if (method !== 'POST') return { status: 405, body: { error: 'invalid_request' }, headers: { allow: 'POST' } };
      const step = steps.shift() ?? 'ok';
      if (step !== 'ok') return FAILURES[step];
      try {
        return { status: 200, body: nextToken() };
      } catch (mistake) {
        // No other attempt helps.
        return { status: 400, body: { error: 'invalid_request', error_description: String(mistake) } };
      }
    },
  };
}

/** Asks the token endpoint, by the global fetch. */
export async function fetchToken(url: string, signal: AbortSignal): Promise<TokenResponse> {
  const response = await fetch(url, { method: 'POST', signal });
  if (response.ok) return (await response.json()) as TokenResponse;
  // Not only the server's own answers: a proxy of the network may answer with a page.
  const said = (await response.json().catch(() => ({}))) as { error?: string; error_description?: string };
  const { error, error_description: why } = said;
  throw new TokenEndpointError(
    `the token server answered ${String(response.status)}${why === undefined ? '' : `: ${why}`}`,
    { status: response.status, ...(error !== undefined && { error }) },
  );
}
