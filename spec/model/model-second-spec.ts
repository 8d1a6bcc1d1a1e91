import { itKeepsItsGuarantees } from './keepsItsGuarantees.js';

// The other half of model-spec.ts: with two workers the model takes half the time.
if (process.env.MODEL_REPLAY === undefined) {
  describe('the stream, whatever happens', () => {
    itKeepsItsGuarantees(1);
  });
}
