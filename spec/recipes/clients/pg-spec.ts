import { execFileSync, spawnSync } from 'node:child_process';
import type { Socket } from 'node:dgram';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Pool, type PoolConfig } from 'pg';
import { poolWithToken } from './pg.recipe.js';
import { radius } from './radius.js';
import { accountOf, freePort, startServer, temporaryFolder } from './servers.js';
import { Api, until, untilItFails } from './support.js';

const version = readdirSync('/usr/lib/postgresql').at(-1) ?? '';
const bin = join('/usr/lib/postgresql', version, 'bin');
/** PostgreSQL says so, whatever the reason. */
const REJECTED = { code: '28000' };

let stop: () => Promise<void>;
let passwords: Socket;
let config: PoolConfig;
let api: Api;

/** PostgreSQL asks the spec whether a password is right, when a connection begins. */
beforeAll(async () => {
  passwords = await radius('secret', (password) => api.admit(password));
  const account = accountOf('postgres');
  const folder = temporaryFolder(account);
  const data = join(folder, 'data');
  const initdb = ['-D', data, '--no-sync', '--username=admin', '--auth=trust'];
  execFileSync(join(bin, 'initdb'), initdb, { ...account, cwd: folder, stdio: 'ignore' });
  const asked = `radiusservers="127.0.0.1" radiusports="${passwords.address().port}" radiussecrets="secret"`;
  writeFileSync(join(data, 'pg_hba.conf'), `local all all trust\nhost all all 127.0.0.1/32 radius ${asked}\n`);
  const port = await freePort();
  const settings = { unix_socket_directories: folder, port, fsync: 'off', listen_addresses: '127.0.0.1' };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const isReady = () => spawnSync(join(bin, 'pg_isready'), ['-h', folder, '-p', String(port)]).status === 0;
  stop = await startServer(join(bin, 'postgres'), ['-D', data, ...args], { ...account, port, folder, isReady });
  const admin = new Client({ host: folder, port, user: 'admin', database: 'postgres' });
  await admin.connect();
  await admin.query('CREATE ROLE orders LOGIN');
  await admin.end();
  // A connection serves one query, so that each query begins a connection.
  config = { host: '127.0.0.1', port, user: 'orders', database: 'postgres', maxUses: 1 };
});
afterAll(async () => {
  await stop();
  passwords.close();
});

beforeEach(() => {
  api = new Api();
});
afterEach(() => api.close());

/** A query that tells which process of the server answered. Each connection has one of its own. */
const ask = async (pool: Pool): Promise<number> => (await pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;

it('the password function is asked for each new connection; a rejection reaches the caller', async () => {
  const pool = poolWithToken(api.token$, config);
  await api.throughThreeTokens(() => ask(pool));
  expect(api.rejected).toBe(0);
  const rejected = api.revoke();
  await expect(ask(pool)).rejects.toMatchObject(REJECTED);
  api.token$.reject(rejected);
  await ask(pool);
  expect(api.expired).toBe(0);
  await pool.end();
});

it('an open connection outlives its token; the pool ends it after maxLifetimeSeconds', async () => {
  const pool = poolWithToken(api.token$, { ...config, maxUses: Infinity, maxLifetimeSeconds: 1 });
  const value = await api.take();
  const connection = await pool.connect();
  await until(() => !api.isAlive(value));
  await connection.query('SELECT 1');
  connection.release();
  await until(() => pool.totalCount === 0);
  await ask(pool);
  expect([api.accepted.size, api.rejected]).toEqual([2, 0]);
  await pool.end();
});

it('control: a fixed password is rejected after the end of its token', async () => {
  const pool = new Pool({ ...config, password: await api.take() });
  await expect(untilItFails(() => ask(pool))).resolves.toMatchObject(REJECTED);
  expect([api.accepted.size, api.expired]).toEqual([1, 1]);
  await pool.end();
});
