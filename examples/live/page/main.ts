import { NOTHING } from '../counters.js';
import type { LiveEvent, Snapshot } from '../liveEvent.js';
import { createInspection } from './inspection.js';
import { createLaneCard, type LaneCard } from './laneCard.js';
import { drawLegend } from './legend.js';
import { narrator } from './narrator.js';
import { rowsOf } from './rows.js';
import { shapesOf } from './shapes.js';
import { begin, caughtUp, heard, tidy, type State } from './state.js';
import { since, type Story } from './story.js';
import { drawTable } from './table.js';
import { oldestInSight, shiftOf, strip, viewOf, type View } from './view.js';

const find = <E extends Element>(selector: string): E => {
  const element = document.querySelector<E>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
};

const intro = find<HTMLElement>('#intro');
const place = find<HTMLElement>('#lanes');
const pause = find<HTMLButtonElement>('#pause');
const cut = find<HTMLButtonElement>('[data-press=cut]');
const forbid = find<HTMLButtonElement>('[data-press=forbid]');
const table = find<HTMLDetailsElement>('#table');
const everyRequest = find<HTMLInputElement>('#all-requests');
const inspection = createInspection(find('#tip'), find('#inspected'));
const narrate = narrator(find('#said'));
const calm = matchMedia('(prefers-reduced-motion: reduce)');

let state: State | undefined;
let cards: readonly LaneCard[] = [];
let view: View = viewOf(place.clientWidth);
/** Where the strip begins. */
let origin = 0;
/** The moment at which the picture stands still, and what had happened by then; null while it moves. */
let still: { readonly now: number; readonly story: Story } | null = null;
let changed = true;

const nowOf = ({ ahead }: State): number => still?.now ?? performance.now() + ahead;

function open(snapshot: Snapshot): void {
  state = begin(snapshot, performance.now());
  still = null;
  showPause();
  origin = snapshot.now;
  intro.textContent = snapshot.intro;
  find('#path').textContent = snapshot.path;
  find('#controls-title').textContent = snapshot.lanes.length > 1 ? 'Make trouble for both' : 'Make trouble';
  cut.hidden = !snapshot.sockets;
  document.body.classList.toggle('without-sockets', !snapshot.sockets);
  place.replaceChildren();
  cards = snapshot.lanes.map((lane) => createLaneCard(place, lane));
  cards.forEach((card) => inspection.watch(card));
  resize();
  refresh();
}

function showPause(): void {
  pause.dataset.on = String(still !== null);
  pause.textContent = still === null ? 'Pause' : 'Go on';
}

function hear(event: LiveEvent): void {
  if (state === undefined) return;
  state = heard(caughtUp(state, event, performance.now()), event);
  changed = true;
  if (event.type === 'fault') narrate(event, () => state);
}

function resize(): void {
  view = viewOf(cards[0]?.stage.clientWidth ?? place.clientWidth);
  for (const { diagram } of cards) diagram.resize(view);
  changed = true;
}

/** What moves. */
function draw(): void {
  if (state === undefined) return;
  const now = nowOf(state);
  const shift = shiftOf(origin, now, view);
  const seen = changed ? since(still?.story ?? state.story, oldestInSight(now, view)) : undefined;
  for (const card of cards) {
    const { diagram, lane } = card;
    if (seen !== undefined) {
      const shapes = shapesOf(lane.name, seen.lanes[lane.name], seen.faults, strip(origin, view));
      diagram.draw(shapes);
      drawn.set(card, shapes);
    }
    diagram.shift(shift);
    const shapes = drawn.get(card);
    if (shapes !== undefined) inspection.follow(card, shapes, shift);
  }
  changed = false;
}
const drawn = new Map<LaneCard, ReturnType<typeof shapesOf>>();

/** What is read: no more often than it can be. */
function refresh(): void {
  if (state === undefined) return;
  state = tidy(state, performance.now() + state.ahead);
  const { counters, forbidden, lanes, story } = state;
  for (const card of cards) card.count(counters[card.lane.name] ?? NOTHING);
  // The word changes, so the button is no toggle: a pressed "Allow" would say the opposite.
  forbid.dataset.on = String(forbidden);
  find('#rule').textContent = forbidden ? 'Allow' : 'Forbid';
  if (table.open) drawTable(find('#table tbody'), rowsOf(still?.story ?? story, lanes, everyRequest.checked));
}

/** Every frame, or once a second for those who asked for less motion. */
let last = -Infinity;
function frame(time: number): void {
  if (time - last >= (calm.matches ? 1_000 : 30)) {
    last = time;
    draw();
  }
  requestAnimationFrame(frame);
}

const events = new EventSource('/events');
events.addEventListener('snapshot', ({ data }: MessageEvent<string>) => open(JSON.parse(data) as Snapshot));
events.addEventListener('happened', ({ data }: MessageEvent<string>) => hear(JSON.parse(data) as LiveEvent));
events.addEventListener(
  'error',
  () => void (intro.textContent = 'The process does not answer any more; this page waits for it.'),
);

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-press]')) {
  button.addEventListener(
    'click',
    () => void fetch(`/press/${button.dataset.press ?? ''}`, { method: 'POST' }).catch(() => undefined),
  );
}
pause.addEventListener('click', () => {
  still = still === null && state !== undefined ? { now: nowOf(state), story: state.story } : null;
  showPause();
  changed = true;
});
table.addEventListener('toggle', refresh);
everyRequest.addEventListener('change', refresh);
addEventListener('resize', resize);

drawLegend(find('#legend'));
setInterval(refresh, 500);
requestAnimationFrame(frame);
