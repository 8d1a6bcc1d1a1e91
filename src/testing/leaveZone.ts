/** The public function `leaveZone`, for real servers in tests of Angular. */

interface ZoneLike {
  readonly root?: { run<T>(work: () => T): T };
}

/**
 * Runs a function outside of zone.js' zones. Without zone.js it just runs it. Inside of Angular's `fakeAsync` and
 * `waitForAsync`, timers and promises belong to the zone: a real server never answers there, and open timers fail the
 * test. Everything that the function starts runs outside of the zone.
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
  // A global `Zone` may belong to something else than zone.js.
  return Zone?.root ? Zone.root.run(work) : work();
}
