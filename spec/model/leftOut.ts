/**
 * What the stream does not keep yet, by the promise that it breaks. Histories that show it are left out, so that the
 * model can look for what else there is. `MODEL_KEEPS=all npx jest spec/model` tries them all the same, or name one.
 */
export type LeftOut =
  /** B4, B6: somebody acts from inside an event's callback, in a few corners where the stream is still between two states. */
  | 'reactions'
  /** B16: a token that was refused when it was not at hand, and which the source yields again. */
  | 'refused token comes again'
  /** B18: a forced refresh that has to wait for its pause counts from the refusal, not from when it is made; so two may fall into one window. */
  | 'delayed force';

const all: readonly LeftOut[] = ['reactions', 'refused token comes again', 'delayed force'];
const wanted = process.env.MODEL_KEEPS?.split(',') ?? [];

export const leftOut: ReadonlySet<LeftOut> = new Set(all.filter((name) => !wanted.includes(name) && !wanted.includes('all')));
