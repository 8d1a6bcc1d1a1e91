// The providers of an Angular application whose HttpClient carries the token to one origin.
import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { injectToken, injectTokenState, provideTokenStream, tokenInterceptor } from 'rx-fresh-token/angular';

export const providers = [
  provideHttpClient(withInterceptors([tokenInterceptor])),
  provideTokenStream(
    () =>
      ({ signal }) =>
        fetch('/session/token', { method: 'POST', signal }),
    { allowedOrigins: ['https://api.example.com'] },
  ),
];

/** For a component: the token as a signal, kept fresh until the component is destroyed, and the state of the token. */
export const session = () => ({ token: injectToken(), state: injectTokenState() });
