import { select } from 'd3-selection';
import { timeOfDay, type Row } from './rows.js';

/**
 * Brings the table's body in line with the rows; a row that stays is not touched, so that nobody who reads it loses the
 * place.
 */
export function drawTable(body: Element, rows: readonly Row[]): void {
  select(body)
    .selectAll<HTMLTableRowElement, Row>('tr')
    .data(rows, ({ key }) => key)
    .join((enter) => {
      const row = enter.append('tr');
      for (let cell = 0; cell < 5; cell += 1) row.append('td');
      return row;
    })
    .order()
    .classed('bad', ({ bad }) => bad)
    .each(function fill({ at, client, what, token, details }) {
      const texts = [timeOfDay(at), client, what, token, details];
      texts.forEach((text, index) => {
        const cell = this.cells[index];
        if (cell !== undefined && cell.textContent !== text) cell.textContent = text;
      });
    });
}
