import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(__dirname, '../..');

/** The script of a page in `pages`, bundled from the sources. */
export async function bundlePage(page: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, 'pages', page)],
    bundle: true,
    write: false,
    format: 'iife',
    alias: {
      'rx-fresh-token': join(root, 'src/index.ts'),
      'rx-fresh-token/connect': join(root, 'src/connect/index.ts'),
      'rx-fresh-token/tabs': join(root, 'src/tabs/index.ts'),
    },
  });
  return outputFiles[0]!.text;
}
