import { requireSteps } from './settings.js';

/**
 * What the API does with a call: `'ok'` judges its token; a status from 200 to 599 is answered whatever the token;
 * `'hang'` never answers; `'down'` breaks the connection.
 */
export type ApiStep = 'ok' | 'hang' | 'down' | number;

const WORDS: readonly unknown[] = ['ok', 'hang', 'down'];
const isStep = (step: unknown): boolean =>
  WORDS.includes(step) || (Number.isInteger(step) && Number(step) >= 200 && Number(step) <= 599);

export function requireApiSteps(steps: unknown): void {
  requireSteps('steps', steps, isStep, '"ok", "hang", "down" or a status from 200 to 599');
}
