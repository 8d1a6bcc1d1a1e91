/** The entry `rx-fresh-token/nest`: a NestJS module with a token stream and an HTTP service that uses it. */
export type { TokenModuleExtras, TokenModuleOptions } from './options.js';
export { TokenModule } from './tokenModule.js';
export { getTokenHttpToken, getTokenStreamToken, InjectToken, InjectTokenHttp } from './tokens.js';
