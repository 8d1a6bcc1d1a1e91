/** The injection tokens and decorators by which services get the stream and the HTTP service of a module. */
import { Inject } from '@nestjs/common';

/** The name of the stream of a module that was given none. */
export const DEFAULT_NAME = 'default';

/**
 * The injection token of a `TokenStream`, for `overrideProvider`, `moduleRef.get` and the `inject` of a factory.
 *
 * Injection tokens are strings, so that the package's two formats agree, and so that Nest's errors show them.
 */
export const getTokenStreamToken = (name: string = DEFAULT_NAME): string => `rx-fresh-token/stream/${name}`;

/** The injection token of the `HttpService` whose requests carry the token. */
export const getTokenHttpToken = (name: string = DEFAULT_NAME): string => `rx-fresh-token/http/${name}`;

/** Injects the `TokenStream` of the {@link TokenModule} of this name. */
export const InjectToken = (name?: string): PropertyDecorator & ParameterDecorator => Inject(getTokenStreamToken(name));

/** Injects the `HttpService` whose requests carry the token of the {@link TokenModule} of this name. */
export const InjectTokenHttp = (name?: string): PropertyDecorator & ParameterDecorator =>
  Inject(getTokenHttpToken(name));
