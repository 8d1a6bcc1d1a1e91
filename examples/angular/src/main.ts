import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { bootstrapApplication } from '@angular/platform-browser';
import { App } from './app/app';
import { changeDetection } from './change-detection';
import { provideTokenStream, tokenInterceptor } from './fresh-token';

bootstrapApplication(App, {
  providers: [
    changeDetection,
    provideHttpClient(withInterceptors([tokenInterceptor])),
    provideTokenStream(
      () =>
        async ({ signal }) => {
          const response = await fetch('/session/token', { method: 'POST', signal });
          if (!response.ok)
            throw Object.assign(new Error(`the token endpoint answered ${response.status}`), {
              status: response.status,
            });
          return response.json();
        },
      // The API grants no leeway and counts whole seconds, so a token may be over up to 1 s before `expires_in` says.
      { allowedOrigins: [location.origin], expiryMargin: 1000 },
    ),
  ],
}).catch((error: unknown) => console.error(error));
