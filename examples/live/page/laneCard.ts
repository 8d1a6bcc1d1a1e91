import { select } from 'd3-selection';
import type { Counters, Lane } from '../liveEvent.js';
import { createDiagram, type Diagram } from './diagram.js';
import { duration } from './names.js';

export interface LaneCard {
  readonly lane: Lane;
  readonly diagram: Diagram;
  /** Takes the keyboard and the pointer. */
  readonly stage: HTMLElement;
  count(counters: Counters): void;
}

const COUNTERS: readonly (readonly [label: string, name: string, value: (counters: Counters) => string])[] = [
  ['refused', 'refused', ({ refused }) => String(refused)],
  ['tokens', 'tokens', ({ tokens }) => String(tokens)],
  ['longest wait', 'wait', ({ longestWait }) => duration(longestWait)],
  ['accepted', 'accepted', ({ accepted }) => String(accepted)],
  ['missed', 'missed', ({ missed }) => String(missed)],
];

/** A client: its name, its counters, its diagram. */
export function createLaneCard(parent: Element, lane: Lane): LaneCard {
  const card = select(parent)
    .append('section')
    .attr('class', `lane ${lane.name}`)
    .attr('aria-labelledby', `title-${lane.name}`);
  const head = card.append('header');
  const name = head.append('div');
  name.append('h2').attr('id', `title-${lane.name}`).text(lane.title);
  name.append('p').text(lane.summary);
  const list = head.append('dl');
  const values = COUNTERS.map(([label, key, value]) => {
    const pair = list.append('div').attr('class', key);
    pair.append('dt').text(label);
    const shown = pair.append('dd').attr('data-counter', key);
    return (counters: Counters): void => {
      const text = value(counters);
      if (shown.text() !== text) shown.text(text);
      pair.classed('some', text !== '0');
    };
  });
  const stage = card
    .append('div')
    .attr('class', 'stage')
    .attr('tabindex', 0)
    .attr('role', 'application')
    .attr(
      'aria-label',
      `Diagram of ${lane.title}. The left and right arrow keys move from mark to mark; all of it is in the table below, too.`,
    );
  const element = stage.node();
  if (element === null) throw new Error('no stage');
  return {
    lane,
    stage: element,
    diagram: createDiagram(element),
    count: (counters) => values.forEach((show) => show(counters)),
  };
}
