import { readFileSync } from 'node:fs';
import { FlatCompat } from '@eslint/eslintrc';
import js from '@eslint/js';
import rxjsX from 'eslint-plugin-rxjs-x';

// The rules live in .eslintrc.json. This file only carries them into ESLint's flat configuration, and registers the plugin
// that an eslintrc cannot load because it is an ES module.
const eslintrc = JSON.parse(readFileSync(new URL('.eslintrc.json', import.meta.url), 'utf8'));
const compat = new FlatCompat({ baseDirectory: import.meta.dirname, recommendedConfig: js.configs.recommended });

export default [{ plugins: { 'rxjs-x': rxjsX } }, ...compat.config(eslintrc)];
