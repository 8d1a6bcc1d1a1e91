import { axisBottom } from 'd3-axis';
import { select, type Selection } from 'd3-selection';
import {
  labelX,
  type AttemptShape,
  type FaultShape,
  type LaneShapes,
  type RequestShape,
  type Shape,
  type SocketShape,
  type TokenShape,
} from './shapes.js';
import { LANE, tickLabel, ticksOf, type View } from './view.js';

export interface Diagram {
  /** Draws what has changed. */
  draw(shapes: LaneShapes): void;
  /** Moves the strip on which it is drawn. */
  shift(px: number): void;
  resize(view: View): void;
  /** Rings the shape that is pointed at. */
  point(shape: Shape | undefined): void;
}

type Group = Selection<SVGGElement, unknown, null, undefined>;

const CROSS = 'M-4,-4L4,4M-4,4L4,-4';
const half = LANE.bar / 2;

/** One lane's diagram: a strip that moves under a window which stands still. */
export function createDiagram(parent: Element): Diagram {
  const svg = select(parent).append('svg').attr('height', LANE.height).attr('aria-hidden', 'true');
  const grid = svg.append('g').attr('class', 'grid');
  const strip = svg.append('g').attr('class', 'strip');
  const [bands, bars, requests, sockets, attempts, marbles] = [
    'bands',
    'bars',
    'requests',
    'sockets',
    'attempts',
    'marbles',
  ].map((name) => strip.append('g').attr('class', name)) as [Group, Group, Group, Group, Group, Group];
  const pointer = strip
    .append('circle')
    .attr('class', 'pointer')
    .attr('r', LANE.radius + 5)
    .attr('visibility', 'hidden');
  const veil = svg.append('rect').attr('class', 'veil').attr('y', 0).attr('height', LANE.axis);
  // Not under the veil: a label may reach into what is to come.
  const labels = svg.append('g').attr('class', 'labels');
  const now = svg.append('line').attr('class', 'now').attr('y1', LANE.top).attr('y2', LANE.axis);
  const axis = svg.append('g').attr('class', 'axis').attr('transform', `translate(0,${LANE.axis})`);
  // At the right, where the future is, and nothing in their way.
  const rows = svg.append('g').attr('class', 'rows');
  for (const [text, y] of [
    ['tokens', LANE.tracks[0] - 9],
    ['requests', LANE.ticks[1] - 6],
    ['WebSocket', LANE.socket + 4],
  ] as const) {
    rows.append('text').attr('class', `row-${text}`).attr('y', y).text(text);
  }

  return {
    draw: (shapes) => {
      drawBands(bands, shapes.faults);
      drawLabels(labels, shapes.faults);
      drawBars(bars, shapes.tokens);
      drawRequests(requests, shapes.requests);
      drawSockets(sockets, shapes.sockets);
      drawMarbles(marbles, shapes.tokens);
      drawAttempts(attempts, shapes.attempts);
    },
    shift: (px) => {
      strip.attr('transform', `translate(${px.toFixed(1)},0)`);
      const texts = labels.selectAll<SVGTextElement, FaultShape>('text');
      const faults = texts.data();
      texts.each(function (shape) {
        const x = labelX(shape, faults, -px);
        // One that goes fades where it stands.
        const text = select(this).classed('gone', x === null);
        if (x !== null) text.attr('x', (x + px).toFixed(1));
      });
    },
    resize: (view) => {
      const { width, nowX } = view;
      svg.attr('width', width).attr('viewBox', `0 0 ${width} ${LANE.height}`);
      veil.attr('x', nowX).attr('width', width - nowX);
      rows.selectAll('text').attr('x', width - 2);
      now.attr('x1', nowX).attr('x2', nowX);
      const ticks = ticksOf(view);
      axis.call(
        axisBottom<number>(view.axis)
          .tickValues([...ticks])
          .tickSize(4)
          .tickSizeOuter(0)
          .tickFormat((seconds) => tickLabel(seconds)),
      );
      grid
        .selectAll('line')
        .data(ticks)
        .join('line')
        .attr('y1', LANE.top)
        .attr('y2', LANE.axis)
        .attr('x1', view.axis)
        .attr('x2', view.axis);
    },
    point: (shape) => {
      pointer.attr('visibility', shape === undefined ? 'hidden' : 'visible');
      if (shape !== undefined) pointer.attr('cx', shape.x).attr('cy', shape.y);
    },
  };
}

const keyOf = ({ key }: Shape): string => key;

/** What was done to the clients: a band while it lasts, a line for a moment. */
function drawBands(bands: Group, faults: readonly FaultShape[]): void {
  bands
    .selectAll<SVGRectElement, FaultShape>('rect')
    .data(faults, keyOf)
    .join('rect')
    .attr('class', ({ mark }) => mark.fault)
    .attr('y', LANE.top)
    .attr('height', LANE.axis - LANE.top)
    .attr('x', ({ x }) => x)
    .attr('width', ({ x, end }) => Math.max(2, end - x));
}

/** Where along the line they stand changes with the picture: `shift` says. */
function drawLabels(labels: Group, faults: readonly FaultShape[]): void {
  labels
    .selectAll<SVGTextElement, FaultShape>('text')
    .data(faults, keyOf)
    .join('text')
    .attr('y', ({ y }) => y)
    .text(({ label }) => label);
}

/** A connection: a line while it is open, a dot for each message, a cross where it was closed. */
function drawSockets(group: Group, sockets: readonly SocketShape[]): void {
  const socket = group
    .selectAll<SVGGElement, SocketShape>('g')
    .data(sockets, keyOf)
    .join((enter) => {
      const entered = enter.append('g');
      entered.append('line').attr('class', 'open');
      entered.append('path').attr('class', 'wrong').attr('d', CROSS);
      return entered;
    })
    .attr('class', ({ hue, isOpen }) => `${hue} ${isOpen ? '' : 'ended'}`);
  socket
    .select('.open')
    .attr('x1', ({ x }) => x)
    .attr('x2', ({ end }) => end)
    .attr('y1', LANE.socket)
    .attr('y2', LANE.socket);
  socket.select('.wrong').attr('transform', ({ end }) => `translate(${end},${LANE.socket})`);
  socket
    .selectAll<SVGCircleElement, number>('circle')
    .data(({ messages }) => messages)
    .join('circle')
    .attr('class', 'message')
    .attr('r', 2.5)
    .attr('cy', LANE.socket)
    .attr('cx', (x) => x);
}

/** A life: dotted while it was asked for, full while it could be used, pale where it was not used to its end. */
function drawBars(group: Group, tokens: readonly TokenShape[]): void {
  const bar = group
    .selectAll<SVGGElement, TokenShape>('g')
    .data(tokens, keyOf)
    .join((enter) => {
      const entered = enter.append('g');
      entered.append('line').attr('class', 'asked');
      entered.append('rect').attr('class', 'rest');
      entered.append('rect').attr('class', 'used');
      return entered;
    })
    .attr('class', ({ hue }) => hue);
  bar
    .select('.asked')
    .attr('x1', ({ asked }) => asked)
    .attr('x2', ({ x }) => x)
    .attr('y1', ({ y }) => y)
    .attr('y2', ({ y }) => y);
  bar
    .selectAll<SVGRectElement, TokenShape>('rect')
    .data((shape) => [shape, shape])
    .attr('y', ({ y }) => y - half)
    .attr('height', LANE.bar)
    .attr('rx', half);
  bar
    .select('.rest')
    .attr('x', ({ x }) => x)
    .attr('width', ({ x, end }) => Math.max(0, end - x));
  bar
    .select('.used')
    .attr('x', ({ x }) => x)
    .attr('width', ({ x, used }) => Math.max(0, used - x));
}

function drawMarbles(group: Group, tokens: readonly TokenShape[]): void {
  group
    .selectAll<SVGGElement, TokenShape>('g')
    .data(tokens, keyOf)
    .join((enter) => {
      const entered = enter.append('g');
      entered.append('circle').attr('r', LANE.radius);
      entered
        .append('text')
        .attr('dy', '0.35em')
        .text(({ letter }) => letter);
      entered.append('path').attr('class', 'wrong').attr('d', CROSS);
      return entered;
    })
    .attr('class', ({ hue, mark }) => `${hue} ${mark.fate}`)
    .attr('transform', ({ x, y }) => `translate(${x},${y})`)
    .select('.wrong')
    // Above a marble that was refused soon after it came: its letter stays to be read.
    .attr('transform', ({ x, used }) => `translate(${used - x},${used - x < LANE.radius + 6 ? -LANE.radius - 5 : 0})`);
}

/**
 * A tick for each request; the tail before it is how long it had to wait, a cross above it says that it was refused.
 */
function drawRequests(group: Group, requests: readonly RequestShape[]): void {
  const [top, bottom] = LANE.ticks;
  const tick = group
    .selectAll<SVGGElement, RequestShape>('g')
    .data(requests, keyOf)
    .join((enter) => {
      const entered = enter.append('g');
      entered.append('line').attr('class', 'tail');
      entered.append('line').attr('class', 'tick').attr('y1', top).attr('y2', bottom);
      entered
        .append('path')
        .attr('class', 'wrong')
        .attr('d', CROSS)
        .attr('transform', `translate(0,${top - 6})`);
      return entered;
    })
    .attr('class', ({ hue, outcome }) => `${hue} ${outcome}`)
    .attr('transform', ({ x }) => `translate(${x},0)`);
  tick
    .select('.tail')
    .attr('x1', ({ x, asked }) => asked - x)
    .attr('y1', bottom)
    .attr('y2', bottom);
}

function drawAttempts(group: Group, attempts: readonly AttemptShape[]): void {
  const attempt = group
    .selectAll<SVGGElement, AttemptShape>('g')
    .data(attempts, keyOf)
    .join((enter) => {
      const entered = enter.append('g');
      entered.append('line').attr('class', 'asked');
      entered.append('path').attr('class', 'wrong').attr('d', CROSS);
      return entered;
    })
    .attr('transform', ({ x, y }) => `translate(${x},${y})`);
  attempt.select('.asked').attr('x1', ({ x, asked }) => asked - x);
}
