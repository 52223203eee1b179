import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript'
import pluginVue from 'eslint-plugin-vue'
import importDirection from './scripts/lint/import-direction.js'

export default defineConfigWithVueTs(
  { ignores: ['out/', 'dist/', 'screenshots/', 'node_modules/', 'maskscope-studies/'] },
  pluginVue.configs['flat/recommended'],
  vueTsConfigs.recommended,
  {
    // These rules ask the compiler; that takes most of the time, so they look at what people run.
    files: ['src-*/**/*.ts', 'src-*/**/*.vue', 'tests/e2e/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname, extraFileExtensions: ['.vue'] } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
    },
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
    // Nothing of Vue is in there, and this rule asks for the types of everything it reads.
    files: ['src-main/**', 'src-shared/**', 'scripts/**', 'bench/**', 'tests/**'],
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
