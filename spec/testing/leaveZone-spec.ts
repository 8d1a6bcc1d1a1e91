import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { leaveZone } from 'rx-fresh-token/testing';

interface Zoned {
  readonly name: string;
  fork(spec: object): { run<T>(work: () => T): T };
}

/** The real zone.js, in globals of its own: those of this process it would never give back. */
const globals = createContext({ setTimeout, clearTimeout, setInterval, clearInterval }) as {
  setTimeout: typeof setTimeout;
  Zone: { readonly current: Zoned };
};
runInContext(readFileSync(require.resolve('zone.js'), 'utf8'), globals);
const { Zone } = globals;
const here = globalThis as { Zone?: unknown };

describe('leaveZone', () => {
  beforeEach(() => {
    here.Zone = Zone;
  });
  afterEach(() => {
    delete here.Zone;
  });

  it('should run a function in the root zone, and what it starts, too', async () => {
    const zone = Zone.current.fork({ name: 'inner' });
    const names = zone.run(() => [Zone.current.name, leaveZone(() => Zone.current.name), Zone.current.name]);
    expect(names).toEqual(['inner', '<root>', 'inner']);
    const started = (leave: <T>(work: () => T) => T) =>
      zone.run(() =>
        leave(
          () =>
            new Promise((resolve) =>
              globals.setTimeout(() => {
                resolve(Zone.current.name);
              }, 1),
            ),
        ),
      );
    expect([await started((work) => work()), await started(leaveZone)]).toEqual(['inner', '<root>']);
  });

  it('should return what the function returns, and throw what it throws', () => {
    expect(leaveZone(() => 5)).toBe(5);
    expect(() =>
      leaveZone(() => {
        throw new RangeError('far');
      }),
    ).toThrow('far');
  });

  it('should just run it where there are no zones', () => {
    for (const other of [undefined, {}]) {
      here.Zone = other;
      expect(leaveZone(() => 5)).toBe(5);
    }
    delete here.Zone;
    expect(leaveZone(() => 5)).toBe(5);
  });
});
