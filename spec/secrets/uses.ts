// What every part of the canary run needs: token sources, and ways to use and print them.
import { firstValueFrom, of, timer } from 'rxjs';
import { createFetch, createHttpClient, withToken, type TokenSource, type TokenStream } from 'rx-fresh-token';
import { clientCredentials, jwtBearer, refreshToken, tokenExchange } from 'rx-fresh-token/oauth';
import { canaries } from './canaries.js';
import type { HostileServer } from './hostileServer.js';
import { printed } from './printed.js';

/** Most servers here never give a usable token: nobody waits long for one. */
export const brief = { maxWait: 200, fetchTimeout: 600, backoff: { initial: 20, max: 20 } };
/** For a server that gives a token: however busy the machine is, it comes. */
export const patient = { ...brief, maxWait: 30_000, fetchTimeout: 30_000 };

/** Prints a value as `console.log` does, and in every other way. */
export function show(what: string, value: unknown): void {
  console.log(what, value);
  process.stdout.write(printed(value));
}

const { clientSecret, assertion, subjectToken } = canaries;

/** A source of each kind, by its name. */
export const sources = (tokenEndpoint: string): Record<string, TokenSource> => {
  const client = { tokenEndpoint, clientId: 'me', clientSecret };
  return {
    'client credentials': clientCredentials(client),
    'client credentials, by post': clientCredentials({
      ...client,
      clientAuth: 'client_secret_post',
      parameters: { extra: canaries.query },
    }),
    'client credentials, DPoP': clientCredentials({ ...client, dpop: true }),
    'refresh token': refreshToken({
      ...client,
      refreshToken: canaries.refreshToken,
      onRotate: () => {
        throw new Error('the disk is full');
      },
    }),
    'JWT bearer': jwtBearer({ ...client, assertion }),
    'token exchange': tokenExchange({
      ...client,
      subjectToken,
      subjectTokenType: 'urn:ietf:params:oauth:token-type:access_token',
    }),
    'one of their own': () =>
      fetch(`${tokenEndpoint}?${canaries.query}`, { method: 'POST', headers: { 'x-key': canaries.header } }).then(
        (response) => response.json() as never,
      ),
  };
};

/** Prints what a call brings, or the error that it fails with. */
export async function attempt(what: string, act: () => Promise<unknown>): Promise<void> {
  try {
    show(what, await act());
  } catch (error) {
    show(`${what} failed`, error);
  }
}

/** Uses a stream in every way, and prints its tokens, events and errors, and those of its clients. */
export async function useAll(name: string, token$: TokenStream, { origin }: HostileServer): Promise<void> {
  token$.events.subscribe((event) => {
    show(`${name}: ${event.type}`, event);
  });
  token$.subscribe({
    next: (token) => {
      show(`${name}: token`, token);
    },
    error: (error: unknown) => {
      show(`${name}: subscriber`, error);
    },
  });
  const fetchWithToken = createFetch(token$, { baseUrl: origin });
  const http = createHttpClient(token$, { baseUrl: origin, timeout: 600, headers: { 'x-key': canaries.header } });
  show('the stream', token$);
  show('the clients', [fetchWithToken, http]);
  for (const path of ['/ok', '/500', '/403', '/away', '/401']) {
    // What a Response prints is the platform's: its URL.
    await attempt(`${name}: fetch ${path}`, () =>
      fetchWithToken(`${path}?${canaries.query}`).then(({ status }) => status),
    );
    await attempt(`${name}: get ${path}`, () => firstValueFrom(http.get(`${path}?${canaries.query}`)));
    await attempt(`${name}: post ${path}`, () =>
      firstValueFrom(http.post(`${path}?${canaries.query}`, { secret: clientSecret })),
    );
  }
  await attempt(`${name}: elsewhere`, () => fetchWithToken(`https://elsewhere.example/?${canaries.query}`));
  await attempt(`${name}: withToken`, () =>
    firstValueFrom(withToken(token$, () => of({ status: 401, headers: new Headers() }))),
  );
  await attempt(`${name}: refresh`, () => firstValueFrom(token$.refresh()));
  const { current } = token$;
  if (current) token$.reject(current);
  await firstValueFrom(timer(30));
  token$.close();
  await attempt(`${name}: closed`, () => fetchWithToken('/ok'));
}
