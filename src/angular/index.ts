export { injectToken } from './injectToken.js';
export { provideTokenStream, TOKEN_STREAM, type ProvideTokenStreamOptions } from './provideTokenStream.js';
export { tokenInterceptor, withoutToken } from './tokenInterceptor.js';
