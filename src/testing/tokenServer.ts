import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireApiSteps, type ApiStep } from './apiStep.js';
import { requireForbidden, scriptedStatus, verdictOn, type Forbidden } from './apiVerdict.js';
import { reply } from './nodeHttp.js';
import { requireTokenSteps, TOKEN_FAILURES, type ServerTokenStep } from './serverToken.js';
import { createLedger } from './tokenLedger.js';
import type { TokenServerCounts } from './tokenServerCounts.js';

/** What the server does with each request, and what the test may say and see meanwhile. */
export function tokenServer(settings: ServerSettings) {
  const state = initialState();
  const { ledger, forbidden, counts } = state;
  const tokenSteps: ServerTokenStep[] = [];
  const apiSteps: ApiStep[] = [];

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const arrivedAt = realNow();
    // Not by `new URL`, which throws at paths such as `//`.
    const [path = '/'] = (request.url ?? '/').split('?');
    const isToken = path === '/token';
    const isPost = request.method === 'POST';
    const step = (isToken ? (isPost ? tokenSteps.shift() : undefined) : apiSteps.shift()) ?? 'ok';
    counts[isToken ? 'tokenRequests' : 'apiRequests']++;
    if (!isToken && (step === 'hang' || step === 'down')) counts.failed++;
    if (step === 'hang') return;
    if (step === 'down') {
      request.destroy();
      return;
    }
    const answer = answerAfter(settings.latency, request, response);
    if (!isToken) answerApi(state, settings, step as ApiStep, request, path, answer);
    else if (isPost) answerToken(state, settings, step as ServerTokenStep, arrivedAt, answer);
    else answer(405, { error: 'invalid_request' }, { allow: 'POST' });
  }

  return {
    handle,
    counts: counts as TokenServerCounts,
    fateOf: ledger.fateOf,
    revoke: ledger.revoke,
    failToken: (...steps: readonly ServerTokenStep[]): void => {
      requireTokenSteps(steps);
      tokenSteps.push(...steps);
    },
    failApi: (...steps: readonly ApiStep[]): void => {
      requireApiSteps(steps);
      apiSteps.push(...steps);
    },
    forbid: (path: string, how: Forbidden = 'bare'): void => {
      requireForbidden(path, how);
      forbidden.set(path, how);
    },
  };
}

/** Real time, whatever fake timers are put in its place later: a server's clients are elsewhere. */
const { setTimeout, clearTimeout } = globalThis;
const realNow = Date.now;

interface ServerSettings {
  readonly lifetime: number;
  readonly latency: number;
  readonly nameOf: (n: number) => string;
  readonly refuseWith: 401 | 403;
}

type Answer = (status: number, body: unknown, headers?: Readonly<Record<string, string>>) => void;

interface ServerState {
  readonly ledger: ReturnType<typeof createLedger>;
  readonly forbidden: Map<string, Forbidden>;
  readonly counts: { -readonly [K in keyof TokenServerCounts]: TokenServerCounts[K] };
}

const initialState = (): ServerState => ({
  ledger: createLedger(realNow),
  forbidden: new Map(),
  counts: {
    tokenRequests: 0,
    tokensIssued: 0,
    apiRequests: 0,
    accepted: 0,
    refused: 0,
    forbidden: 0,
    failed: 0,
  },
});

function answerToken(
  { ledger, counts }: ServerState,
  { lifetime, nameOf }: ServerSettings,
  step: ServerTokenStep,
  arrivedAt: number,
  answer: Answer,
): void {
  const failure = TOKEN_FAILURES[step];
  if (failure) {
    answer(...failure);
    return;
  }
  let access_token: string;
  try {
    access_token = nameOf(counts.tokensIssued + 1);
  } catch (mistake) {
    // A mistake of the test: no other attempt helps.
    answer(400, { error: 'invalid_request', error_description: String(mistake) });
    return;
  }
  counts.tokensIssued++;
  ledger.issue(access_token, arrivedAt + lifetime);
  answer(200, { access_token, token_type: 'Bearer', expires_in: lifetime / 1000 });
}

function answerApi(
  { ledger, forbidden, counts }: ServerState,
  { refuseWith }: ServerSettings,
  step: ApiStep,
  request: IncomingMessage,
  path: string,
  answer: Answer,
): void {
  const value = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const credential = value === undefined ? 'missing' : ledger.fateOf(value);
  const { status, headers } =
    typeof step === 'number' ? scriptedStatus(step) : verdictOn(credential, forbidden.get(path), refuseWith);
  if (typeof step === 'number') counts.failed++;
  else if (status === 200) counts.accepted++;
  else if (credential === 'alive') counts.forbidden++;
  else counts.refused++;
  answer(status, status < 300 ? { method: request.method, path, token: value ?? null } : { status }, headers);
}

const answerAfter =
  (latency: number, request: IncomingMessage, response: ServerResponse): Answer =>
  (status, body, headers = {}) => {
    if (latency === 0) {
      reply(request, response, status, headers, body);
      return;
    }
    const timer = setTimeout(() => {
      reply(request, response, status, headers, body);
    }, latency);
    // There is no client any more to which it could answer: it must not keep the process from ending.
    response.once('close', () => {
      clearTimeout(timer);
    });
  };
