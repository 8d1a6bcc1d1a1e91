import { readdir } from 'node:fs/promises';

/**
 * Starts every server in `servers/`, outside Jest's sandbox, where packages that are ESM only run as they are.
 * Such a file exports `start(): Promise<{ env: Record<string, string>; stop(): Promise<void> }>`;
 * specs find what it listens on in `process.env`.
 */
export default async function globalSetup() {
  const folder = new URL('servers/', import.meta.url);
  const files = await readdir(folder).catch(() => []);
  const servers = [];
  globalThis.__SPEC_SERVERS__ = servers;
  for (const file of files.filter((name) => name.endsWith('.mjs')).sort()) {
    const { start } = await import(new URL(file, folder).href);
    const server = await start();
    servers.push(server);
    Object.assign(process.env, server.env);
  }
}
