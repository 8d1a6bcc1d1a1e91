/**
 * Wrote orders.ndjson: `node --import tsx examples/demo/generateOrders.ts > examples/demo/orders.ndjson`.
 * The numbers come from a fixed seed, so the file is the same every time.
 */
const ORDERS = 2_000;
const ITEMS = ['tea', 'coffee', 'cocoa', 'sugar', 'salt', 'flour', 'rice', 'oats'];

let state = 42;
const below = (limit: number): number => {
  // A linear congruential generator (Numerical Recipes); its high bits are random enough for sample data.
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
};

for (let order = 1; order <= ORDERS; order += 1) {
  process.stdout.write(
    `${JSON.stringify({
      id: `order-${String(order).padStart(4, '0')}`,
      item: ITEMS[below(ITEMS.length)],
      quantity: 1 + below(9),
      cents: 100 + below(9_900),
    })}\n`,
  );
}
