/** Which agent of Node makes the connections to the upstream server. */
import { Agent as HttpAgent, globalAgent as httpGlobalAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent, globalAgent as httpsGlobalAgent } from 'node:https';
import { fieldsOf } from '../../internal/values/fieldsOf.js';
import { kindOf } from '../../internal/values/kindOf.js';
import { isLoopback } from '../../internal/values/loopback.js';

/** An idle connection is closed before the server does it: Node's servers wait 5 s. Milliseconds. */
const IDLE = 4_000;

/** Since Node 22.21 and 24.5 an agent may have the environment by which it finds its way. */
interface WithProxyEnv {
  readonly options?: { readonly proxyEnv?: object | undefined };
}

/**
 * An agent of the proxy's own. As Node's global agents, it uses the proxy of the environment (`HTTP_PROXY` and the
 * like) if Node is told to (`NODE_USE_ENV_PROXY=1`). Not for a server on this machine: plain `http:` must not leave it.
 */
export function ownAgent(to: URL): HttpAgent {
  const isSecure = to.protocol === 'https:';
  const { options } = (isSecure ? httpsGlobalAgent : httpGlobalAgent) as WithProxyEnv;
  return new (isSecure ? HttpsAgent : HttpAgent)({
    keepAlive: true,
    timeout: IDLE,
    proxyEnv: (isLoopback(to) ? undefined : options?.proxyEnv) ?? null,
  } as AgentOptions);
}

/**
 * Node would throw at each request. An agent with a `protocol` of its own serves that one only; agents of other
 * packages that make tunnels serve both. The value is not shown: it may be the URL of a proxy with its password.
 */
export function checkAgent(agent: unknown, { protocol }: URL): void {
  if ((agent ?? undefined) === undefined) return;
  const { addRequest, protocol: served } = fieldsOf(agent);
  const isFixed = Object.hasOwn(Object(agent) as object, 'protocol');
  if (typeof addRequest !== 'function' || (isFixed && served !== protocol))
    throw new TypeError(`option "agent" must be an Agent of node:${protocol.slice(0, -1)}, got ${kindOf(agent)}`);
}
