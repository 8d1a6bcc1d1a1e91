/** `npm run angular`: packs the library, builds the order desk, serves it. Or, with folders of builds: serves those. */
import { startDesk } from './desk.js';
import { prepare } from './prepare.mjs';

const given = process.argv.slice(2);
const desks = await Promise.all(
  (given.length > 0 ? given : await prepare()).map((folder) =>
    startDesk(folder, { port: Number(process.env['PORT'] ?? 0) }),
  ),
);
console.log(
  desks
    .map(({ origin }) => (given.length > 0 ? origin : `\n  The order desk is open: ${origin}\n  Ctrl-C closes it.\n`))
    .join('\n'),
);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const desk of desks) desk.close();
  });
}
