/** Writes metrics in the text format of Prometheus, version 0.0.4. */

/** One metric. Of several values, each has its labels. */
export function metric(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: number | ReadonlyMap<string, number>,
): string {
  const values =
    typeof value === 'number'
      ? [` ${String(value)}`]
      : Array.from(value, ([labels, each]) => `{${labels}} ${String(each)}`);
  return [`# HELP rx_fresh_token_${name} ${help}`, `# TYPE rx_fresh_token_${name} ${type}`]
    .concat(values.map((each) => `rx_fresh_token_${name}${each}`))
    .join('\n');
}
