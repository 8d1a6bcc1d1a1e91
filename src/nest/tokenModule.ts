/** The public class `TokenModule`: its providers, their end with the application, and checks of the application. */
import { HttpService } from '@nestjs/axios';
import {
  ConfigurableModuleBuilder,
  Module,
  Scope,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type FactoryProvider,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import axios from 'axios';
import { attachToken } from '../axios/attachToken.js';
import { requireText } from '../internal/values/validate.js';
import { createTokenStream } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import {
  checkedOptions,
  requireOptions,
  requireProvider,
  type TokenModuleExtras,
  type TokenModuleOptions,
} from './options.js';
import { DEFAULT_NAME, getTokenHttpToken, getTokenStreamToken } from './tokens.js';

/** Each dynamic module has providers of its own, so that these need no name. */
const CHECKED_OPTIONS = 'rx-fresh-token/options';
const MODULE_CHECK = 'rx-fresh-token/moduleCheck';
const CLOSER = 'rx-fresh-token/closer';

/**
 * The token is attached here, where the instance is made, and not in a lifecycle hook of a service: Nest does not call
 * these for REQUEST-scoped services.
 */
function makeHttp(token$: TokenStream, options: TokenModuleOptions) {
  const { allowedOrigins, allowInsecureRequests, isRejection } = options;
  const instance = axios.create(options.axios);
  attachToken(instance, token$, { allowedOrigins, allowInsecureRequests, isRejection });
  // Nest's axios types are those of CommonJS, which TypeScript tells apart from the same types of ES modules.
  return new HttpService(instance as unknown as HttpService['axiosRef']);
}

/** A module as Nest's container has it. */
type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;

/**
 * The mistakes that only a look at the application shows. All modules are known when the first provider is made, and
 * the scopes of all dependencies when the module is initialized.
 */
const makeModuleCheck = (name: string) => (moduleRef: ModuleRef, modules: ModulesContainer) => {
  const stream = getTokenStreamToken(name);
  /**
   * Nest adds the global modules to the imports of each module, behind its own. So a module's own TokenModule hides a
   * global one of the same name. Only two of the same kind are ambiguous.
   */
  const isAmbiguous = ({ imports }: NestModule) =>
    [true, false].some((isGlobal) => {
      const isRival = (module: NestModule) =>
        module.isGlobal === isGlobal && module.hasProvider(MODULE_CHECK) && module.hasProvider(stream);
      return [...imports].filter(isRival).length > 1;
    });
  if ([...modules.values()].some(isAmbiguous))
    throw new TypeError(`two TokenModules have the name "${name}": give each its own "name"`);
  return {
    onModuleInit() {
      if (moduleRef.introspect(stream).scope !== Scope.DEFAULT)
        throw new TypeError(
          'the factory of TokenModule must not inject REQUEST-scoped providers: one stream serves all requests',
        );
    },
  };
};

/**
 * A provider of its own, so that a stream that replaces ours in a test is closed too. Nest closes its servers before: a
 * request that is being answered may still need the token.
 */
const makeCloser = (token$: TokenStream) => ({
  onApplicationShutdown() {
    token$.close();
  },
});

type AsyncOptions = ConfigurableModuleAsyncOptions<TokenModuleOptions, 'createTokenOptions'>;

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<TokenModuleOptions>({
  moduleName: 'Token',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createTokenOptions')
  .setExtras<TokenModuleExtras>({ name: undefined, isGlobal: undefined }, define)
  .build();

/** Adds what the module provides under its name. */
function define(definition: DynamicModule, { name = DEFAULT_NAME, isGlobal = true }: TokenModuleExtras): DynamicModule {
  requireText('name', name);
  const stream = getTokenStreamToken(name);
  const http = getTokenHttpToken(name);
  const own: FactoryProvider[] = [
    { provide: CHECKED_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: checkedOptions },
    {
      provide: stream,
      inject: [CHECKED_OPTIONS],
      useFactory: (options: TokenModuleOptions) => createTokenStream(options.source, options.stream),
    },
    { provide: http, inject: [stream, CHECKED_OPTIONS], useFactory: makeHttp },
    { provide: MODULE_CHECK, inject: [ModuleRef, ModulesContainer], useFactory: makeModuleCheck(name) },
    { provide: CLOSER, inject: [stream], useFactory: makeCloser },
  ];
  return {
    ...definition,
    global: isGlobal,
    providers: [...(definition.providers ?? []), ...own],
    exports: [stream, http],
  };
}

/**
 * Provides a `TokenStream`, injected by {@link InjectToken}, and a Nest `HttpService` whose requests carry its token,
 * injected by {@link InjectTokenHttp}. The guarantees are those of `attachToken`.
 *
 * The HTTP service has an injection token of its own, and is not provided as `HttpService`. Otherwise, with an
 * `HttpModule` beside it, the order of imports would decide which of the two is injected.
 *
 * ```ts
 * import { Module } from '@nestjs/common';
 * import { ConfigService } from '@nestjs/config';
 * import { TokenModule } from 'rx-fresh-token/nest';
 * import { clientCredentials } from 'rx-fresh-token/oauth';
 *
 * @Module({
 *   imports: [
 *     TokenModule.forRootAsync({
 *       inject: [ConfigService],
 *       useFactory: (config: ConfigService) => ({
 *         source: clientCredentials({
 *           issuer: 'https://id.example.com',
 *           clientId: 'orders',
 *           clientSecret: config.getOrThrow<string>('CLIENT_SECRET'),
 *         }),
 *         axios: { baseURL: 'https://api.example.com', timeout: 5000 },
 *       }),
 *     }),
 *   ],
 * })
 * export class AppModule {}
 * ```
 *
 * The stream fetches nothing until it is used. It is closed when the application shuts down: by `app.close()`, and on
 * signals after `app.enableShutdownHooks()`. Import one module per name.
 *
 * @throws TypeError that names an option out of range, while the application is created
 */
@Module({})
export class TokenModule extends ConfigurableModuleClass {
  static override forRoot(options: TokenModuleOptions & TokenModuleExtras): DynamicModule {
    requireOptions(options);
    return super.forRoot(options);
  }

  static override forRootAsync(options: AsyncOptions & TokenModuleExtras): DynamicModule {
    requireProvider(options);
    return super.forRootAsync(options);
  }
}
