/** Closes connections whose client still sends a body that the answer did not need. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { framingOf } from '../rules/headers.js';

/** How long a client may go on sending after its answer: in silence, and at all, as with nginx. Milliseconds. */
const SILENCE = 5_000;
const LONGEST = 30_000;

/**
 * If the client has not sent all of its body, the answer ends the connection. Otherwise the next request would have to
 * wait behind the rest of the body.
 *
 * The connection is closed in stages (RFC 9112 section 9.6). A client that is still sending would meet a reset, and
 * could lose the answer. So what it sends is read and dropped until it has sent all or leaves, but not for ever.
 */
export function endWithAnswer(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || !framingOf(request.headers)) return;
  const { socket } = request;
  response.shouldKeepAlive = false;
  // Node calls this at the end of the answer.
  const close = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    if (request.complete) {
      close();
      return;
    }
    socket.end();
    socket.setTimeout(SILENCE, () => socket.destroy());
    const late = setTimeout(() => socket.destroy(), LONGEST);
    socket.once('close', () => clearTimeout(late));
    request.once('end', close).resume();
  };
}
