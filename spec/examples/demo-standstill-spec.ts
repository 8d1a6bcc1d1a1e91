import { watchEventLoop } from '../../examples/demo/eventLoop.js';
import { bundleDemo, cell, folder, orders, startDemo, stopAll, until } from './demoSupport.js';

// It starts a process, and other specs keep the machine busy.
jest.setTimeout(60_000);

const place = folder();
const { main, remove } = bundleDemo();
afterAll(() => {
  stopAll();
  place.remove();
  remove();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it('a machine that stops the demo for six seconds is named, and not held against the client', async () => {
  const { child, ended } = startDemo(['--input', place.file(orders(400)), '--rate', '100'], { main });
  let printed = '';
  child.stdout.on('data', (text: string) => (printed += text));
  await until(() => printed.includes(' records'));
  child.kill('SIGSTOP');
  await pause(6_000);
  child.kill('SIGCONT');
  const { status, stdout, stderr } = await ended;
  expect(stdout).toMatch(/ {2}This process did not run for [67]\.\d s, because the machine stopped it or was busy/);
  expect(stdout).toContain('✔ Every record arrived exactly once, and no expired token was sent.');
  expect([status, stderr, cell(stdout, 'records delivered')]).toEqual([0, '', '400 of 400']);
});

describe('the event loop', () => {
  /** A clock that the spec moves. */
  const setUp = () => {
    const clock = { now: 0 };
    const loop = watchEventLoop(() => clock.now);
    return { clock, loop };
  };

  it('stood still between two looks that are far apart', () => {
    const { clock, loop } = setUp();
    clock.now = 200;
    expect(loop.stood()).toBe(0);
    clock.now = 6_200;
    expect([loop.stoodBetween(100, 199), loop.stoodBetween(100, 6_201), loop.stoodBetween(6_201, 6_300)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(loop.stood()).toBe(6_000);
    loop.close();
  });
});
