import { API, initTestBed, setUp } from './support.js';
import { HttpClient } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { of } from 'rxjs';
import { injectToken, TOKEN_STREAM, tokenInterceptor } from 'rx-fresh-token/angular';
import { canaries, escaped } from '../secrets/canaries.js';
import { printed } from '../secrets/printed.js';

initTestBed();

const seen: string[] = [];
const show = (value: unknown) => seen.push(printed(value));
const get = (path: string) =>
  TestBed.inject(HttpClient)
    .get(API + path)
    .subscribe({ next: show, error: show });

describe('a canary', () => {
  it('should be in nothing that is printed of the stream, its signal, its events and what calls come to', () => {
    let n = 0;
    const { controller, token$ } = setUp({
      source: () =>
        of({
          access_token: `${canaries.token}-${String(++n)}`,
          refresh_token: canaries.refreshToken,
          expires_in: 3600,
        }),
    });
    token$.events.subscribe(show);
    const token = TestBed.runInInjectionContext(() => injectToken());
    for (const [index, statuses] of [[200], [401, 200], [401, 401], [403, 403], [500]].entries()) {
      const path = `/${String(index)}`;
      get(path);
      for (const status of statuses) {
        const request = controller.expectOne(API + path);
        expect(request.request.headers.get('authorization')).toMatch(canaries.token);
        request.flush(null, { status, statusText: 'Said' });
      }
    }
    TestBed.tick();
    expect(token()?.value).toMatch(canaries.token);
    for (const each of [token$, token, token(), tokenInterceptor, TOKEN_STREAM, TestBed.inject(TOKEN_STREAM)])
      show(each);
    token$.close();
    get('/closed');

    expect(escaped(seen.join())).toEqual([]);
    for (const each of ['tokenChanged', 'tokenRejected', 'HttpErrorResponse', 'ERR_TOKEN_STREAM_CLOSED', 'AccessToken'])
      expect(seen.join()).toContain(each);
  });
});
