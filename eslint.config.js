import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript'
import pluginVue from 'eslint-plugin-vue'
import importDirection from './scripts/lint/import-direction.js'
import * as typedParser from './scripts/lint/typed-parser.js'

export default defineConfigWithVueTs(
  { ignores: ['out/', 'dist/', 'screenshots/', 'node_modules/', 'maskscope-studies/'] },
  // Beside the window nothing of Vue is there to be looked for.
  pluginVue.configs['flat/recommended'].map((config) => (config.files || !config.rules ? config : { ...config, files: ['src-renderer/**', 'tests/unit/renderer/**'] })),
  vueTsConfigs.recommended,
  {
    // These rules ask the compiler; that takes most of the time, so they look at what people run.
    files: ['src-*/**/*.ts', 'src-*/**/*.vue', 'tests/e2e/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
    },
  },
  { files: ['src-*/**/*.ts', 'tests/e2e/**/*.ts'], languageOptions: { parser: typedParser } },
  { files: ['src-*/**/*.vue'], languageOptions: { parserOptions: { parser: typedParser } } },
  {
    // The Vue settings ask for types everywhere.
    files: ['**/*.ts'],
    ignores: ['src-*/**', 'tests/e2e/**'],
    languageOptions: { parserOptions: { projectService: false } },
  },
  {
    files: ['**/*.ts', '**/*.vue'],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'smart'],
    },
  },
  {
    // This rule asks for the types of everything it reads.
    files: ['tests/**'],
    rules: { 'vue/no-ref-as-operand': 'off' },
  },
  {
    files: ['**/*.vue'],
    rules: {
      // Line breaks are for the reader to judge.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['warn', { html: { void: 'always' } }],
      'vue/multi-word-component-names': 'off',
      'vue/require-default-prop': 'off',
    },
  },
  {
    files: ['src-*/**/*.ts', 'src-*/**/*.vue'],
    plugins: { maskscope: { rules: { 'import-direction': importDirection } } },
    rules: { 'maskscope/import-direction': 'error' },
  },
)
