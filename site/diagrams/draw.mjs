// Draws the marble diagrams of docs/images from runs of the library in virtual time. `--check` fails where one is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMarbleDiagramSpecification } from '@swirly/parser';
import { renderMarbleDiagram } from '@swirly/renderer-node';
import { darkStyles } from '@swirly/theme-default-dark';
import { lightStyles } from '@swirly/theme-default-light';
import { root } from '../../scripts/run.mjs';
import { COLUMNS, scenes, UNIT } from './scenes.mjs';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A lane as a marble diagram: a letter for each kind of mark, and what the letters stand for. */
function textOf({ title, marks }) {
  const labels = [...new Set(marks.map(({ label }) => label).filter((label) => label !== '#'))];
  const columns = [];
  for (const { at, label } of marks) {
    const sign = label === '#' ? '#' : LETTERS[labels.indexOf(label)];
    const column = Math.round(at / UNIT);
    columns[column] = (columns[column] ?? '') + sign;
  }
  const signs = Array.from({ length: COLUMNS }, (_, column) => columns[column] ?? '-');
  const line = signs.map((sign) => (sign.length > 1 ? `(${sign})` : sign)).join('');
  return [line, `title = ${title}`, ...labels.map((label, index) => `${LETTERS[index]} := ${label}`)].join('\n');
}

/** Legible on a page of 600 pixels, which has its own background. Pixels. */
const STYLES = {
  frame_width: 50,
  event_radius: 25,
  event_value_font_size: 24,
  stream_title_font_size: 26,
  stream_title_width: 210,
  background_color: 'transparent',
};

/** Tokens have the colours of the theme, by their names. */
function fillOf(label, theme) {
  const lightness = theme === 'dark' ? 25 : 85;
  if (/^[45]\d\d$/.test(label)) return `hsl(0, 70%, ${lightness}%)`;
  return /^T\d/.test(label) ? undefined : `hsl(0, 0%, ${lightness}%)`;
}

function specificationOf(lanes, theme) {
  const specification = parseMarbleDiagramSpecification(lanes.map(textOf).join('\n\n'));
  for (const lane of specification.content) {
    // A lane goes on after its last mark.
    lane.duration = COLUMNS;
    for (const message of lane.messages) {
      const fill_color = fillOf(message.notification.value, theme);
      if (fill_color !== undefined) message.styles = { ...message.styles, fill_color };
    }
  }
  return specification;
}

const isCheck = process.argv.includes('--check');
let status = 0;
for (const [name, run] of Object.entries(scenes)) {
  const lanes = run();
  for (const [theme, styles] of Object.entries({ light: lightStyles, dark: darkStyles })) {
    const file = join('docs/images', `marbles-${name}-${theme}.svg`);
    const { xml } = renderMarbleDiagram(specificationOf(lanes, theme), { styles: { ...styles, ...STYLES } });
    const drawn = `${xml}\n`;
    if (!isCheck) writeFileSync(join(root, file), drawn);
    else if (!existsSync(join(root, file)) || readFileSync(join(root, file), 'utf8') !== drawn) {
      console.error(`${file} is out of date: run "npm run diagrams"`);
      status = 1;
    }
  }
}
process.exitCode = status;
