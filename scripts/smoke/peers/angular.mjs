// HttpClient with the interceptor, by fetch, on the Angular that is installed here; without a DOM, as in Angular's own tests.
import '@angular/compiler';
import { deepEqual, equal } from 'node:assert/strict';
import { HttpClient, provideHttpClient, withFetch, withInterceptors } from '@angular/common/http';
import * as core from '@angular/core';
import { firstValueFrom } from 'rxjs';
import { injectTokenState, provideTokenStream, TOKEN_STREAM, tokenInterceptor } from 'rx-fresh-token/angular';
import { countingSource, refusingApi } from './servers.mjs';

const api = await refusingApi();
const tokens = countingSource();
// Angular 17 has neither, and needs neither.
const zoneless = core.provideZonelessChangeDetection ?? core.provideExperimentalZonelessChangeDetection;
const injector = core.createEnvironmentInjector(
  [
    core.ErrorHandler,
    { provide: core.ɵINJECTOR_SCOPE, useValue: 'root' },
    zoneless ? zoneless() : { provide: core.NgZone, useClass: core.ɵNoopNgZone },
    { provide: core.PLATFORM_ID, useValue: 'browser' },
    provideHttpClient(withFetch(), withInterceptors([tokenInterceptor])),
    provideTokenStream(() => tokens.source, { allowedOrigins: [api.url] }),
  ],
  core.platformCore().injector,
);
const http = injector.get(HttpClient);
const state = core.runInInjectionContext(injector, injectTokenState);
const answers = await Promise.all([1, 2, 3].map((n) => firstValueFrom(http.get(`${api.url}/orders/${n}`))));
deepEqual(answers, [{ token: 'Bearer T2' }, { token: 'Bearer T2' }, { token: 'Bearer T2' }]);
equal(tokens.asked(), 2);
equal(state(), 'fresh');
const stream = injector.get(TOKEN_STREAM);
injector.destroy();
equal(stream.current, null);
await api.close();
console.log(core.VERSION.full);
