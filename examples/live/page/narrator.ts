import type { FaultEvent } from '../liveEvent.js';
import type { State } from './state.js';
import { aftermath, announcement } from './words.js';

/** What comes of a fault shows within this time after it. Milliseconds. */
const AFTERMATH = 6_000;

/** Says what was done, and after a while what came of it. */
export function narrator(line: Element): (event: FaultEvent, state: () => State | undefined) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (event, state) => {
    clearTimeout(timer);
    if (event.kind === 'allow') {
      line.textContent = `${event.path ?? ''} is allowed again.`;
      return;
    }
    const before = state()?.counters ?? {};
    const { kind, at, until, tokens, path = '' } = event;
    const said = announcement({ kind: 'fault', fault: kind, at, until: until ?? at, tokens, path });
    line.textContent = said;
    // A sleep is over at once: the clock jumps.
    const lasts = kind === 'outage' && until !== null ? until - at : 0;
    timer = setTimeout(() => {
      const now = state();
      if (now !== undefined) line.textContent = `${said} ${aftermath(now.lanes, before, now.counters)}`;
    }, lasts + AFTERMATH);
  };
}
