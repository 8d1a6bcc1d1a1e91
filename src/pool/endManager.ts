/** Ends the manager of a stream that nobody uses, and has another one go on. */
import type { FullManager } from '../token/tokenManager.js';

/** Ends a manager without an event. Its state holds what another one needs to go on. */
export function endManager({ parts: { context, pipeline, signOuts } }: FullManager): void {
  const { state, events, restartTimer } = context;
  const { held, isConnected } = state;
  events.complete();
  signOuts?.unsubscribe();
  // With no token, `restartTimer` only stops the timer.
  state.held = null;
  restartTimer();
  pipeline.close();
  // `held` was cleared above, `isConnected` by `close`.
  Object.assign(state, { held, isConnected });
}

/** Has a new manager go on where the one before was ended. Nothing is refreshed before the next check. */
export function resumeManager({ parts: { context, pipeline } }: FullManager): void {
  const { state, restartTimer } = context;
  const { held, isConnected } = state;
  state.isConnected = false;
  if (!held) return;
  if (isConnected) {
    // The pipeline is to run, and no more: while it connects, `whyRefresh` must find nothing due.
    state.held = { ...held, renewAt: Infinity, usableUntil: Infinity, endsAt: Infinity };
    pipeline.run();
    state.held = held;
  }
  // A moment may have come that nobody has looked at.
  restartTimer(-Infinity);
}
