import { itKeepsItsGuarantees } from './keepsItsGuarantees.js';

// The other half of model-spec.ts: with two workers the model takes half the time. A history that is replayed is
// replayed by both.
describe('the stream, whatever happens', () => {
  itKeepsItsGuarantees(1);
});
