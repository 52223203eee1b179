import tseslint from 'typescript-eslint'
import importDirection from './scripts/lint/import-direction.js'

export default tseslint.config(
  { ignores: ['out/', 'dist/', 'node_modules/', 'maskscope-studies/'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'smart'],
    },
  },
  {
    files: ['src-*/**/*.ts'],
    plugins: { maskscope: { rules: { 'import-direction': importDirection } } },
    rules: { 'maskscope/import-direction': 'error' },
  },
)
