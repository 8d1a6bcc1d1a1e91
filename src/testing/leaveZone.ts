interface ZoneLike {
  readonly root?: { run<T>(work: () => T): T };
}

/**
 * Runs a function outside of zone.js' zones, where there are any; elsewhere it just runs it. Inside of Angular's
 * `fakeAsync` and `waitForAsync` timers and promises belong to the zone: a real server never answers there, and what is
 * still open fails the test. Whatever the function starts, lives outside.
 *
 * ```ts
 * let server: TokenServer;
 * beforeAll(() => leaveZone(async () => { server = await startTokenServer(); }));
 * ```
 *
 * @returns what the function returns; what it throws is thrown
 */
export function leaveZone<T>(work: () => T): T {
  const { Zone } = globalThis as { Zone?: ZoneLike };
  // Some other Zone may be there, which is none of zone.js'.
  return Zone?.root ? Zone.root.run(work) : work();
}
