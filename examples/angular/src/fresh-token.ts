/**
 * The one file that imports the library, so that what it adds to the bundle can be measured against
 * `fresh-token.none.ts`.
 */
export { injectToken, provideTokenStream, TOKEN_STREAM, tokenInterceptor } from 'rx-fresh-token/angular';
