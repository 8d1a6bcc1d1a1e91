'use strict';
// CommonJS, since Jest's sandbox and its set-up outside both load it.
const { spawn } = require('node:child_process');
const { randomInt } = require('node:crypto');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { connect, createServer } = require('node:net');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** Whether nothing listens on a port. */
const isFree = (port) =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/** A port that is free now, below those that a system gives to connections: one of them might take it meanwhile. */
async function freePort() {
  const port = randomInt(11_000, 32_000);
  return (await isFree(port)) ? port : freePort();
}

/** A redis-server that keeps nothing on disk, or a sentinel that watches the one on a port, as `main`. `stop` ends it and removes its folder. */
async function startRedis({ port, args = [], sentinelOf } = {}) {
  const on = port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-redis-'));
  // A sentinel writes down what it learns.
  const config = join(folder, 'sentinel.conf');
  if (sentinelOf) {
    const lines = [
      `monitor main 127.0.0.1 ${sentinelOf} 1`,
      'down-after-milliseconds main 500',
      'failover-timeout main 2000',
    ];
    writeFileSync(config, lines.map((line) => `sentinel ${line}\n`).join(''));
  }
  const kind = sentinelOf ? [config, '--sentinel'] : ['--save', '', '--appendonly', 'no'];
  const child = spawn(
    'redis-server',
    [...kind, '--port', String(on), '--bind', '127.0.0.1', '--dir', folder, ...args],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  });
  const stop = async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const giveUp = Date.now() + 10_000;
  while (!(await answers(on))) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > giveUp) {
      await stop();
      throw new Error(`redis-server did not start on port ${on}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { url: `redis://127.0.0.1:${on}`, port: on, child, stop, signal: (name) => child.kill(name) };
}

const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const settle = (value) => {
      socket.destroy();
      resolve(value);
    };
    socket.once('data', () => settle(true));
    socket.once('error', () => settle(false));
    socket.setTimeout(1000, () => settle(false));
  });

module.exports = { freePort, startRedis };
