import { select } from 'd3-selection';

/** A small picture of each mark, and what it means. */
const ENTRIES: readonly (readonly [picture: string, meaning: string])[] = [
  ['marble', 'a token arrives; the dots before it show how long the fetch took'],
  ['life', 'its lifetime: in full colour while it is used, pale for the rest'],
  ['request', 'a request, in the colour of the token it carried'],
  ['refused', 'a request that was refused (403); it is repeated with another token'],
  ['waited', 'a request that had to wait for a token'],
  ['attempt', 'a token fetch that failed'],
  ['socket', 'a WebSocket while it is open, and its messages; missed: sent while it was closed'],
  ['band', 'a button that you pressed'],
];

const CROSS = 'M-4,-4L4,4M-4,4L4,-4';

export function drawLegend(list: Element): void {
  for (const [picture, meaning] of ENTRIES) {
    const item = select(list).append('li').attr('class', picture);
    const svg = item
      .append('svg')
      .attr('width', 52)
      .attr('height', 26)
      .attr('viewBox', '0 0 52 26')
      .attr('aria-hidden', 'true');
    const draw = svg.append('g').attr('class', `hue-0 ${picture}`);
    item.append('span').text(meaning);
    if (picture === 'marble') {
      draw.append('line').attr('class', 'asked').attr('x1', 6).attr('x2', 26).attr('y1', 13).attr('y2', 13);
      draw.append('circle').attr('class', 'marble').attr('cx', 34).attr('cy', 13).attr('r', 11);
      draw.append('text').attr('x', 34).attr('y', 13).attr('dy', '0.35em').text('A');
    }
    if (picture === 'life') {
      draw
        .append('rect')
        .attr('class', 'rest')
        .attr('x', 4)
        .attr('width', 44)
        .attr('y', 8)
        .attr('height', 10)
        .attr('rx', 5);
      draw
        .append('rect')
        .attr('class', 'used')
        .attr('x', 4)
        .attr('width', 30)
        .attr('y', 8)
        .attr('height', 10)
        .attr('rx', 5);
    }
    if (['request', 'refused', 'waited'].includes(picture))
      draw.append('line').attr('class', 'tick').attr('x1', 30).attr('x2', 30).attr('y1', 9).attr('y2', 25);
    if (picture === 'waited')
      draw.append('line').attr('class', 'tail').attr('x1', 8).attr('x2', 30).attr('y1', 25).attr('y2', 25);
    if (picture === 'refused')
      draw.append('path').attr('class', 'wrong').attr('d', CROSS).attr('transform', 'translate(30,4.5)');
    if (picture === 'attempt') {
      draw.append('line').attr('class', 'asked').attr('x1', 8).attr('x2', 30).attr('y1', 13).attr('y2', 13);
      draw.append('path').attr('class', 'wrong').attr('d', CROSS).attr('transform', 'translate(38,13)');
    }
    if (picture === 'socket') {
      draw.append('line').attr('class', 'open').attr('x1', 6).attr('x2', 46).attr('y1', 13).attr('y2', 13);
      for (const x of [14, 26, 38])
        draw.append('circle').attr('class', 'message').attr('cx', x).attr('cy', 13).attr('r', 3);
    }
    if (picture === 'band')
      draw.append('rect').attr('class', 'outage').attr('x', 6).attr('width', 40).attr('y', 1).attr('height', 24);
  }
}
