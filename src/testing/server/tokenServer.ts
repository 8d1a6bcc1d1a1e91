/** The behaviour of the test server without its port: tokens, answers, counts, and the orders of the test. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireApiSteps, type ApiStep, type createJudge } from '../api/apiJudge.js';
import { preflight, reply } from './nodeHttp.js';
import { createTokenEndpoint, type Answer } from './tokenEndpoint.js';
import { createTokenRegister } from '../tokenRegister.js';

/** Real time, whatever fake timers are put in its place later: a server's clients are elsewhere. */
const { setTimeout, clearTimeout } = globalThis;
const realNow = Date.now;

interface ServerSettings {
  readonly lifetime: number;
  readonly latency: number;
  readonly nameOf: (n: number) => string;
}

/** What the server does with each request, and what the test may say and see meanwhile. */
export function tokenServer(
  { lifetime, latency, nameOf }: ServerSettings,
  { judge, forbid }: Pick<ReturnType<typeof createJudge>, 'judge' | 'forbid'>,
) {
  const { issue, fateOf, revoke } = createTokenRegister(realNow);
  const counts = {
    tokenRequests: 0,
    tokensIssued: 0,
    apiRequests: 0,
    accepted: 0,
    refused: 0,
    forbidden: 0,
    failed: 0,
  };
  const apiSteps: ApiStep[] = [];

  const tokenEndpoint = createTokenEndpoint(() => {
    const access_token = nameOf(counts.tokensIssued + 1);
    counts.tokensIssued++;
    issue(access_token, realNow() + lifetime);
    return { access_token, token_type: 'Bearer', expires_in: lifetime / 1000 };
  });

  function answerOfApi({ method, headers: { authorization = '' } }: IncomingMessage, path: string): Answer {
    const step = apiSteps.shift() ?? 'ok';
    if (step !== 'ok') counts.failed++;
    if (step === 'hang' || step === 'down') return step;
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? null;
    const credential = token === null ? 'missing' : fateOf(token);
    const { status, headers } = judge(step, credential, path);
    if (step === 'ok') counts[status === 200 ? 'accepted' : credential === 'alive' ? 'forbidden' : 'refused']++;
    return { status, body: status < 300 ? { method, path, token } : { status }, headers };
  }

  return {
    handle: (request: IncomingMessage, response: ServerResponse): void => {
      const allowed = preflight(request);
      if (allowed) {
        reply(request, response, allowed);
        return;
      }
      // Not by `new URL`, which throws at paths such as `//`.
      const [path = '/'] = (request.url ?? '/').split('?');
      const isToken = path === '/token';
      counts[isToken ? 'tokenRequests' : 'apiRequests']++;
      respond(latency, request, response, isToken ? tokenEndpoint.answer(request.method) : answerOfApi(request, path));
    },
    counts,
    fateOf,
    revoke,
    failToken: tokenEndpoint.fail,
    failApi: (...steps: readonly ApiStep[]): void => {
      requireApiSteps(steps);
      apiSteps.push(...steps);
    },
    forbid,
  };
}

function respond(latency: number, request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (answer === 'hang') return;
  if (answer === 'down') request.destroy();
  else if (latency === 0) reply(request, response, answer);
  else {
    const timer = setTimeout(() => reply(request, response, answer), latency);
    // A client that has left gets no answer, and the timer must not keep the process from ending.
    response.once('close', () => clearTimeout(timer));
  }
}
