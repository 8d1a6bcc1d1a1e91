export default async function globalTeardown() {
  const servers = globalThis.__SPEC_SERVERS__ ?? [];
  await Promise.all(servers.map((server) => server.stop()));
}
