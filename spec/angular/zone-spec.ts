import './zoneFlags.js';
import 'zone.js';
import { API, initTestBed, setUp } from './support.js';
import { HttpClient } from '@angular/common/http';
import { ApplicationRef, NgZone, provideZoneChangeDetection } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { firstValueFrom, map, NEVER, Observable, of, switchMap, tap, timer, VirtualTimeScheduler } from 'rxjs';
import { createTokenStream, type TokenStore } from 'rx-fresh-token';
import { injectToken } from 'rx-fresh-token/angular';
import { until } from '../until.js';

initTestBed();

const providers = [provideZoneChangeDetection()];
const zone = () => TestBed.inject(NgZone);

describe('with zone.js', () => {
  it('should let the application become stable while the token’s timers are pending', async () => {
    const { controller, token$ } = setUp({
      providers,
      source: (_request, n) => timer(5).pipe(map(() => ({ access_token: `T${String(n)}`, expires_in: 3600 }))),
    });
    const application = TestBed.inject(ApplicationRef);
    const answered = zone().run(() => {
      // What anyone may do with the stream itself, in the zone too.
      token$.subscribe();
      return firstValueFrom(TestBed.inject(HttpClient).get(`${API}/a`));
    });
    await firstValueFrom(token$);
    controller.expectOne(`${API}/a`).flush('fine');
    await answered;
    await application.whenStable();
    expect(zone().hasPendingMacrotasks).toBe(false);
  });

  it('should let the application become stable though the factory made the stream, and close that with the injector', async () => {
    const token$ = createTokenStream(() => timer(5).pipe(map(() => ({ access_token: 'T1', expires_in: 3600 }))));
    const { controller } = setUp({ providers, make: () => token$ });
    const application = TestBed.inject(ApplicationRef);
    const token = zone().run(() => TestBed.runInInjectionContext(injectToken));
    const answered = zone().run(() => firstValueFrom(TestBed.inject(HttpClient).get(`${API}/a`)));
    // It waits, and the timer that ends its wait is not the zone's.
    expect(zone().hasPendingMacrotasks).toBe(false);
    await until(() => token() !== null);
    const call = controller.expectOne(`${API}/a`);
    expect(call.request.headers.get('Authorization')).toBe('Bearer T1');
    call.flush('fine');
    await answered;
    await application.whenStable();
    expect(zone().hasPendingMacrotasks).toBe(false);
    TestBed.resetTestingModule();
    expect(token$.current).toBeNull();
  });

  it('should name what is out of place when the factory makes the stream', () => {
    const make = () => createTokenStream(() => NEVER);
    expect(() => setUp({ providers, make, maxWait: 5 })).toThrow(/"maxWait"/);
    TestBed.resetTestingModule();
    expect(() => setUp({ providers, make: () => of('token') as never })).toThrow(/createTokenStream/);
  });

  it('should check for changes when the token changes, and not at each of the timers', async () => {
    setUp({
      providers,
      source: (_request, n) => timer(5).pipe(map(() => ({ access_token: `T${String(n)}`, expires_in: 0.4 }))),
    });
    const token = zone().run(() => TestBed.runInInjectionContext(injectToken));
    let checks = 0;
    let changes = 0;
    let last: unknown = token();
    const watch = zone().onMicrotaskEmpty.subscribe(() => {
      checks++;
      if (token() !== last) changes++;
      last = token();
    });
    await until(() => changes > 1);
    watch.unsubscribe();
    expect(checks).toBe(changes);
  });

  it('should send and answer in the zone for those who asked in it, wherever the token came from', async () => {
    const sentIn: boolean[] = [];
    const { controller, token$ } = setUp({
      providers,
      maxWait: 300,
      inner: [
        (request, next) => {
          sentIn.push(NgZone.isInAngularZone());
          return next(request);
        },
      ],
      // Answers outside, as a renewal does.
      source: (_request, n) =>
        n > 1
          ? NEVER
          : zone().runOutsideAngular(() => timer(5).pipe(map(() => ({ access_token: 'T1', expires_in: 3600 })))),
    });
    const answeredIn: [string, boolean][] = [];
    const ask = (path: string) =>
      TestBed.inject(HttpClient)
        .get(API + path)
        .subscribe({
          next: () => answeredIn.push([path, NgZone.isInAngularZone()]),
          error: () => answeredIn.push([`${path} failed`, NgZone.isInAngularZone()]),
        });
    zone().runOutsideAngular(() => token$.subscribe());
    zone().run(() => ask('/inside'));
    zone().runOutsideAngular(() => ask('/outside'));
    await until(() => sentIn.length === 2);
    for (const path of ['/inside', '/outside']) controller.expectOne(API + path).flush(path);
    expect(sentIn).toEqual([true, false]);
    token$.reject(token$.current!);
    zone().run(() => ask('/inside'));
    await until(() => answeredIn.length === 3);
    expect(answeredIn).toEqual([
      ['/inside', true],
      ['/outside', false],
      ['/inside failed', true],
    ]);
  });

  it('should let a store work outside too, on what it asks and on what it hears', async () => {
    const heardIn: boolean[] = [];
    const here = () => void heardIn.push(NgZone.isInAngularZone());
    const store: TokenStore = {
      refresh: (_request, fetch) =>
        timer(20).pipe(
          tap(here),
          switchMap(() => fetch()),
          map((response) => ({ response, age: 0, origin: 'fetched' })),
        ),
      changes: new Observable(here),
      signedOut: new Observable(here),
    };
    const { token$ } = setUp({ providers, store });
    zone().run(() => token$.subscribe());
    expect(zone().hasPendingMacrotasks).toBe(false);
    await firstValueFrom(token$);
    expect(heardIn).toEqual([false, false, false]);
    TestBed.resetTestingModule();
    expect(() => setUp({ providers, store: {} as TokenStore })).toThrow(/"store"/);
    TestBed.resetTestingModule();
    const mute = setUp({
      providers,
      store: { refresh: () => [{ response: { access_token: 'S', expires_in: 60 }, age: 0, origin: 'shared' }] },
    });
    expect((await firstValueFrom(mute.token$)).value).toBe('S');
  });

  it('should run the timers of a scheduler of the user’s outside too', () => {
    const scheduledIn: boolean[] = [];
    const scheduler = new VirtualTimeScheduler(undefined, 60_000);
    const schedule = scheduler.schedule.bind(scheduler);
    scheduler.schedule = ((...args: Parameters<typeof schedule>) => {
      scheduledIn.push(NgZone.isInAngularZone());
      return schedule(...args);
    }) as typeof schedule;
    const { token$, asked } = setUp({
      providers,
      scheduler,
      jitter: 0,
      source: () => of({ access_token: `T${String(asked.length)}`, expires_in: 30 }),
    });
    zone().run(() => token$.subscribe());
    scheduler.flush();
    expect(asked).toHaveLength(3);
    expect(new Set(scheduledIn)).toEqual(new Set([false]));
  });
});
