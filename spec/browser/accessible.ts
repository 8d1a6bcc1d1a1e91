import axe from 'axe-core';
import type { Page } from 'playwright-core';

/**
 * Runs axe on the page: it must find no serious or critical violation, and must have checked the contrast of colours.
 */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
  expect(serious).toEqual([]);
  expect(passes.map(({ id }) => id)).toContain('color-contrast');
}
