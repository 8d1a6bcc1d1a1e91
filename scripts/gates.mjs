import { bin, runNode } from './run.mjs';

for (const args of [
  [bin.publint, '--strict'],
  [bin.attw, '--pack', '.'],
]) {
  const code = await runNode(args);
  if (code !== 0) process.exit(code);
}
