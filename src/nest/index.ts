export type { TokenModuleExtras, TokenModuleOptions } from './options.js';
export { TokenModule } from './tokenModule.js';
export { getTokenHttpToken, getTokenStreamToken, InjectToken, InjectTokenHttp } from './tokens.js';
