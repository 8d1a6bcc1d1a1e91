import type { TokenRequest, TokenResponse, TokenSource } from '../../src/token/types.js';
import { firstValueFrom, from } from 'rxjs';

/** One request as the fake endpoint saw it. */
export interface Seen {
  readonly url: string;
  readonly form: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FakeEndpoint {
  readonly fetch: typeof fetch;
  readonly seen: readonly Seen[];
}

/** A fetch that answers from memory: what `respond` returns, as JSON unless it is a Response. */
export function fakeEndpoint(respond: (request: Seen, index: number) => unknown): FakeEndpoint {
  const seen: Seen[] = [];
  return {
    seen,
    fetch: async (url, init) => {
      const request = {
        url: url as string, // oauth4webapi passes strings
        form: Object.fromEntries(formIn(init)),
        headers: init?.headers as Record<string, string>,
      };
      seen.push(request);
      const answer = await respond(request, seen.length - 1);
      return answer instanceof Response ? answer : Response.json(answer);
    },
  };
}

/** The form of a request. */
export const formIn = (init: RequestInit | undefined): URLSearchParams =>
  new URLSearchParams(init?.body as string | undefined);

export const refuse = (status: number, error?: string, headers: Record<string, string> = {}) =>
  error === undefined ? new Response(null, { status, headers }) : Response.json({ error }, { status, headers });

/** Asks a source as the stream does. */
export function ask(source: TokenSource, request: Partial<TokenRequest> = {}): Promise<TokenResponse> {
  const whole: TokenRequest = {
    reason: 'initial',
    attempt: 1,
    previous: null,
    signal: new AbortController().signal,
    ...request,
  };
  return firstValueFrom(from(source(whole))) as Promise<TokenResponse>;
}

export const payloadOf = (jwt: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

/** A promise that is settled from outside. */
export function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (failure: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Lets promises and other microtasks go on, in rounds. */
export const turns = async (count = 50) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Asks, and leaves before the answer comes. */
export async function askAndLeave(source: TokenSource): Promise<void> {
  const controller = new AbortController();
  const left = ask(source, { signal: controller.signal }).catch(() => 'left');
  await turns();
  controller.abort();
  await left;
}
