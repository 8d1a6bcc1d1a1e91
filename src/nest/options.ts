/** The options of `TokenModule`: their public types, and the checks that the stream and axios do not make. */
import type { CreateAxiosDefaults } from 'axios';
import type { AttachTokenOptions } from '../axios/attachToken.js';
import { originOf } from '../internal/values/urls.js';
import { refuseUnknown } from '../internal/values/validate.js';
import type { TokenSource, TokenStreamOptions } from '../token/types.js';

/** What a {@link TokenModule} needs, besides its name: given to `forRoot`, or by the factory of `forRootAsync`. */
export interface TokenModuleOptions extends AttachTokenOptions {
  /** Fetches one token. */
  source: TokenSource;
  /** Options of `createTokenStream`. */
  stream?: TokenStreamOptions | undefined;
  /** Defaults of the HTTP client, as in `HttpModule.register`: `baseURL`, `timeout` … */
  axios?: CreateAxiosDefaults | undefined;
  /**
   * The exact origins that get the token. A request to any other fails before it is sent. https, or http on loopback.
   * Default: the origin of `axios.baseURL`. One of the two must be given. Give `[]` if you use only the stream.
   */
  allowedOrigins?: readonly string[] | undefined;
}

/** Given to `forRoot` and `forRootAsync` themselves, because they decide what the module provides. */
export interface TokenModuleExtras {
  /** The name of the module, if there are several. Default `'default'`. */
  name?: string | undefined;
  /**
   * true: all modules may inject the stream and the HTTP service. false: only those that import this module. Default
   * true.
   */
  isGlobal?: boolean | undefined;
}

const KNOWN: Record<keyof TokenModuleOptions, true> = {
  source: true,
  stream: true,
  axios: true,
  allowedOrigins: true,
  allowInsecureRequests: true,
  isRejection: true,
};

/** What JavaScript gives in the place of options is not shown. */
export function requireOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('TokenModule needs options: { source, allowedOrigins or axios.baseURL, … }');
}

/** What provides the options later: Nest's own errors do not name what is missing. */
export function requireProvider(options: unknown): void {
  const { useFactory, useClass, useExisting } = Object(options) as Record<string, unknown>;
  if (typeof (useExisting ?? useFactory ?? useClass) !== 'function')
    throw new TypeError('TokenModule.forRootAsync needs useFactory, useClass or useExisting: a function or a class');
}

/** Checks what the stream and the HTTP client do not check themselves. */
export function checkedOptions(options: TokenModuleOptions): TokenModuleOptions {
  requireOptions(options);
  const places = 'those of the stream belong in "stream", those of the HTTP client in "axios"';
  const hint = ` here: ${places}, name and isGlobal to forRootAsync itself`;
  refuseUnknown(options, KNOWN, hint);
  // The value is not shown: somebody may have given the token itself.
  if (typeof options.source !== 'function')
    throw new TypeError('option "source" must be a token source: a function that fetches a token');
  // A configuration that lacks the URL gives '', and a server has no page to which a path could be relative.
  if (!options.allowedOrigins && originOf(options.axios?.baseURL) === undefined)
    throw new TypeError('option "allowedOrigins" or "axios.baseURL" must say where the token may go, by absolute URLs');
  return options;
}
