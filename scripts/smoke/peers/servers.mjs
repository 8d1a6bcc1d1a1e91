import { createServer } from 'node:http';

/** A token endpoint that counts up: T1, T2, … */
export function countingSource() {
  let asked = 0;
  return { source: () => Promise.resolve({ access_token: `T${++asked}`, expires_in: 3600 }), asked: () => asked };
}

/** An API that refuses T1, so that every first request costs one refresh and one repeat. */
export async function refusingApi() {
  const seen = [];
  const server = createServer((request, response) => {
    const token = request.headers.authorization ?? 'none';
    seen.push(token);
    response.writeHead(token === 'Bearer T2' ? 200 : 401, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ token }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections?.();
    });
  return { url: `http://127.0.0.1:${server.address().port}`, seen, close };
}
