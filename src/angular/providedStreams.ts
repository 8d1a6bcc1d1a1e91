/** The streams that an injector and those above it provide, and the search for one by its name. */
import { inject, InjectionToken } from '@angular/core';
import type { Observable } from 'rxjs';
import { parseUrl } from '../internal/values/urls.js';
import type { TokenStream } from '../token/types.js';
import type { RequestOptions } from './streamOptions.js';

/**
 * The application's token stream: the one without a name. Injecting it fetches nothing. During server rendering
 * it never emits, connections are not opened, and `takeToken` and `refresh()` fail.
 */
export const TOKEN_STREAM = /* @__PURE__ */ new InjectionToken<TokenStream>(
  'TOKEN_STREAM of rx-fresh-token: call provideTokenStream()',
);

/** One call of `provideTokenStream`. */
export interface ProvidedStream extends RequestOptions {
  readonly token: InjectionToken<TokenStream>;
  /**
   * It stands in the place of the stream of the same name that was provided before it, whose requests it takes over:
   * these are its own options, in the place of theirs. null: it stands for itself.
   */
  readonly replacing: Partial<RequestOptions> | null;
}

/** Every call of `provideTokenStream` in this injector. */
export const PROVIDED_STREAMS = /* @__PURE__ */ new InjectionToken<readonly ProvidedStream[]>(
  'streams of rx-fresh-token: call provideTokenStream()',
);

type Levels = readonly (readonly ProvidedStream[])[];

/** They are checked once: those of the nearest injector, then those above it. */
export const STREAMS_IN_FORCE = /* @__PURE__ */ new InjectionToken<Levels>('checked streams of rx-fresh-token');

/** Emits when the injector that provides the streams is destroyed, before these close. */
export const INJECTOR_DESTROYED = /* @__PURE__ */ new InjectionToken<Observable<unknown>>(
  'end of the streams of rx-fresh-token',
);

/**
 * The streams in force where this is called. A lazy route may provide streams of its own, beside those of the
 * application; one of the same name hides the application's, as Angular does.
 */
export function streamsInForce(): Levels {
  const own = distinct(inject(PROVIDED_STREAMS));
  const above = inject(STREAMS_IN_FORCE, { optional: true, skipSelf: true }) ?? [];
  return [own, ...above.map((streams) => streams.filter(({ name }) => own.every((each) => each.name !== name)))];
}

/** @throws TypeError if two streams cannot be told apart */
function distinct(provided: readonly ProvidedStream[]): readonly ProvidedStream[] {
  const byName = new Map<string | undefined, ProvidedStream>();
  for (const stream of provided) {
    const { name, token, replacing } = stream;
    const known = byName.get(name);
    if (!known) byName.set(name, stream);
    else if (replacing) byName.set(name, { ...known, ...replacing, token, replacing });
    else throw new TypeError(whyRefused(known));
  }
  return [...byName.values()];
}

/** @param known the stream whose name was given a second time */
function whyRefused({ name, replacing }: ProvidedStream): string {
  if (replacing) return 'provideFakeToken() must come after the stream in whose place it stands';
  if (name === undefined)
    return 'provideTokenStream was called twice without a name: give each stream but one the option "name"';
  return `provideTokenStream was called twice with the name ${JSON.stringify(name)}`;
}

/** The streams to choose from. @throws Error if there is none */
export function injectStreams(caller: string): Levels {
  const streams = inject(STREAMS_IN_FORCE, { optional: true });
  if (!streams) throw new Error(`${caller} needs a token stream: call provideTokenStream() among the providers`);
  return streams;
}

/** The stream of that name. @throws TypeError if there is none */
export function streamNamed(levels: Levels, name: string): ProvidedStream {
  const stream = levels.flat().find((each) => each.name === name);
  if (!stream)
    throw new TypeError(
      `no token stream has the name ${JSON.stringify(name)}: give provideTokenStream() the option "name"`,
    );
  return stream;
}

/**
 * The stream with that name, or without one: {@link TOKEN_STREAM}. Call it where `inject` may be called.
 *
 * @param name the option `name` of `provideTokenStream`
 * @throws TypeError if no stream has that name
 */
export const injectTokenStream = (name?: string): TokenStream =>
  inject(name === undefined ? TOKEN_STREAM : streamNamed(injectStreams('injectTokenStream'), name).token);

/** A stream whose token a request may carry, and the request's absolute URL. */
export interface Choice {
  readonly stream: ProvidedStream;
  readonly url: string;
}

/** The stream for this URL: of the nearest ones, that whose `paths` say most. @throws TypeError if two say the same */
export function chooseStream(levels: Levels, url: string): Choice | null {
  for (const streams of levels) {
    const matches = streams.flatMap((stream) => matchOf(stream, url) ?? []).sort((a, b) => b.length - a.length);
    const [best, other] = matches;
    if (best && best.length === other?.length)
      throw new TypeError(
        `the token streams ${nameOf(best)} and ${nameOf(other)} have the same origin and path: change the "paths" of one`,
      );
    if (best) return best;
  }
  return null;
}

const nameOf = ({ stream: { name } }: Choice): string => (name === undefined ? 'without a name' : JSON.stringify(name));

/** `PlatformLocation` on a server, where there may be no `<base>`. */
interface PageLocation {
  readonly href: string;
  getBaseHrefFromDOM(): string | null;
}

/**
 * Whether the same request would carry a token in the browser. A server does not know the origin that the browser sees:
 * a URL of the page's own host may be that of any stream.
 */
export function mayCarryToken(levels: Levels, url: string, location: PageLocation): boolean {
  // It may have no origin.
  const page = new URL(location.href, 'http://localhost');
  const base = parseUrl(location.getBaseHrefFromDOM() ?? '', page) ?? page;
  const target = parseUrl(url.startsWith('//') ? `https:${url}` : url, base);
  if (!target) return false;
  const holds = (stream: ProvidedStream) =>
    target.host === page.host ? lengthOfMatch(stream, target.href) >= 0 : matchOf(stream, target.href) !== null;
  return levels.flat().some(holds);
}

/** How much the paths of a stream say about a URL that may get its token: the length of the longest that holds it. */
function matchOf(stream: ProvidedStream, given: string): (Choice & { readonly length: number }) | null {
  try {
    const url = stream.destinations.check(given);
    const length = lengthOfMatch(stream, url);
    return length < 0 ? null : { stream, url, length };
  } catch {
    return null;
  }
}

/** The length of the longest path of the stream that holds the URL; negative if it has none, or excepts this one. */
function lengthOfMatch({ paths, exceptPaths }: ProvidedStream, absoluteUrl: string): number {
  const { pathname } = new URL(absoluteUrl);
  const holds = (path: string) => pathname === path || pathname.startsWith(`${path}/`);
  return exceptPaths.some(holds) ? -1 : Math.max(-1, ...paths.filter(holds).map(({ length }) => length));
}
