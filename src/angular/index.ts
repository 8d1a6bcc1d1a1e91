/** The entry `rx-fresh-token/angular`: providers, an HTTP interceptor, and the token as a signal. */
export { HttpTokenInterceptor } from './httpTokenInterceptor.js';
export { injectToken, injectTokenState } from './injectToken.js';
export { injectTokenStream, TOKEN_STREAM } from './providedStreams.js';
export { provideFakeToken, type FakeTokenOptions } from './provideFakeToken.js';
export { provideTokenStream } from './provideTokenStream.js';
export { withoutToken, withTokenOf } from './requestContext.js';
export type { ProvideTokenStreamOptions } from './streamOptions.js';
export { tokenInterceptor } from './tokenInterceptor.js';
export type { TokenState } from './tokenWatch.js';
