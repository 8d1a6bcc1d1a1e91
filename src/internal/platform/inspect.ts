/** Names the method that tells Node's `console.log` and `util.inspect` what to print of an object. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom');
