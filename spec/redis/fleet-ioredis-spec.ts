import { itHoldsForAFleet } from './fleetRows.js';

describe('a fleet with ioredis', () => {
  itHoldsForAFleet('ioredis');
});
