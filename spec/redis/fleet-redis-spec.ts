import { itHoldsForAFleet } from './fleetRows.js';

describe('a fleet with redis', () => {
  itHoldsForAFleet('redis');
});
