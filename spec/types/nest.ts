/** Compiled only: what TypeScript makes of the module for Nest. */
import type { DynamicModule } from '@nestjs/common';
import { expectTypeOf } from 'expect-type';
import type { TokenSource } from 'rx-fresh-token';
import {
  getTokenHttpToken,
  getTokenStreamToken,
  InjectToken,
  InjectTokenHttp,
  TokenModule,
  type TokenModuleExtras,
  type TokenModuleOptions,
} from 'rx-fresh-token/nest';

declare const source: TokenSource;

// ---- options as they are

expectTypeOf(TokenModule.forRoot({ source, axios: { baseURL: 'https://api.example' } })).toEqualTypeOf<DynamicModule>();
void TokenModule.forRoot({ source, allowedOrigins: ['https://api.example'] as const, name: 'orders', isGlobal: false });
void TokenModule.forRoot({ source, stream: { refreshBefore: 5_000, maxWait: undefined }, isRejection: undefined });
void TokenModule.forRoot({ source, isRejection: ({ status, data }) => status === 419 && data !== null });
// @ts-expect-error a source is needed
void TokenModule.forRoot({ allowedOrigins: [] });
// @ts-expect-error no such option of the stream
void TokenModule.forRoot({ source, stream: { refreshAfter: 5 } });
// @ts-expect-error a promise is no boolean
void TokenModule.forRoot({ source, isRejection: () => Promise.resolve(true) });
// @ts-expect-error no such option
void TokenModule.forRoot({ source, origins: [] });

// ---- options that are made

class Config {
  readonly url = 'https://api.example';
  createTokenOptions(): TokenModuleOptions {
    return { source, axios: { baseURL: this.url } };
  }
}
const useFactory = ({ url }: Config): TokenModuleOptions => ({ source, axios: { baseURL: url } });
expectTypeOf(TokenModule.forRootAsync({ inject: [Config], useFactory, name: 'orders' })).toEqualTypeOf<DynamicModule>();
void TokenModule.forRootAsync({ useFactory: () => Promise.resolve({ source, allowedOrigins: [] }) });
void TokenModule.forRootAsync({ useClass: Config, isGlobal: false });
void TokenModule.forRootAsync({ useExisting: Config });
// @ts-expect-error a factory of options gives a source
void TokenModule.forRootAsync({ useFactory: () => ({ allowedOrigins: [] }) });
// @ts-expect-error the class has no createTokenOptions
void TokenModule.forRootAsync({ useClass: Date });

expectTypeOf<TokenModuleExtras>().toEqualTypeOf<{ name?: string | undefined; isGlobal?: boolean | undefined }>();

// ---- what is injected

expectTypeOf(getTokenStreamToken).toEqualTypeOf<(name?: string) => string>();
expectTypeOf(getTokenHttpToken()).toEqualTypeOf<string>();
// Of the decorators that Nest compiles: properties and parameters of a constructor.
expectTypeOf(InjectTokenHttp()).toEqualTypeOf<PropertyDecorator & ParameterDecorator>();
expectTypeOf(InjectToken('orders')).toEqualTypeOf<PropertyDecorator & ParameterDecorator>();
// @ts-expect-error a name is a string
InjectToken(5);
