import { builtinModules } from 'node:module'
import tseslint from 'typescript-eslint'
import vue from 'eslint-plugin-vue'
import vueParser from 'vue-eslint-parser'

const nodeModules = builtinModules.flatMap((name) => [name, `node:${name}`])

/** What a decision may not reach for: the clock and chance are arguments. */
const clockAndChance = [
  { object: 'Date', property: 'now', message: 'The clock is an argument here.' },
  { object: 'performance', property: 'now', message: 'The clock is an argument here.' },
  { object: 'Math', property: 'random', message: 'Chance is an argument here.' },
  { object: 'crypto', property: 'randomUUID', message: 'Chance is an argument here.' },
]
const clockSyntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'The clock is an argument here.' },
  { selector: "CallExpression[callee.name='Date']", message: 'The clock is an argument here.' },
]
const style = [
  { selector: 'TSEnumDeclaration', message: 'No enum: a literal union from `as const`.' },
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
]
const timers = ['setTimeout', 'setInterval', 'setImmediate']
const hostGlobals = [
  'process',
  'Buffer',
  'console',
  'fetch',
  'global',
  'globalThis',
  'window',
  'document',
  'navigator',
  'localStorage',
  'performance',
  'crypto',
  'queueMicrotask',
  ...timers,
]
const named = (names, message) => names.map((name) => ({ name, message }))

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '**/node_modules/',
      '.cache/',
      'coverage/',
      'screenshots/',
      'data/',
      'docs/',
      'web/src/auto-imports.d.ts',
      'web/src/components.d.ts',
      'web/public/',
      '**/*.config.ts',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.vue'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './web/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.vue'],
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, allowDefaultCaseForExhaustiveSwitch: false },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // A port may be asynchronous where its adapter is not: SQLite answers at once.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      // Clients name the type of the answer that they expect.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      'no-control-regex': 'error',
      // Reads the same as `number | string` where each is a word of the field (brands, ids).
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-syntax': ['error', ...style],
      // A transaction's function has its connection and its clock before what it is about.
      'max-params': ['error', 5],
      'max-depth': ['error', 4],
    },
  },
  {
    // What is read from a fixture or an answer is checked by the assertion itself.
    files: ['**/*.test.ts', '**/*.fixture.ts', 'tests/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      'max-params': 'off',
      'max-depth': 'off',
    },
  },
  {
    name: 'core is pure: no host, no clock, no chance; it runs in a browser as well as in Node.js',
    files: ['core/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.fixture.ts'],
    rules: {
      'no-restricted-properties': ['error', ...clockAndChance],
      'no-restricted-syntax': ['error', ...style, ...clockSyntax],
      'no-restricted-globals': ['error', ...named(hostGlobals, 'core knows no host.')],
      'no-restricted-imports': ['error', { patterns: [{ regex: '^[^.]', message: 'core imports nothing but itself.' }] }],
      'no-console': 'error',
    },
  },
  // The language of expressions, in the files that are about it (docs/adr/0025).
  { files: ['core/src/workflow/expression.ts', 'core/src/workflow/expression-walk.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    name: 'contract is plain data',
    files: ['contract/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.fixture.ts'],
    rules: {
      'no-restricted-properties': ['error', ...clockAndChance],
      'no-restricted-syntax': ['error', ...style, ...clockSyntax],
      'no-restricted-globals': ['error', ...named(hostGlobals, 'contract knows no host.')],
    },
  },
  {
    name: 'the engine takes time and chance from its ports, and knows no wire, file or database driver',
    files: ['server/src/engine/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.fixture.ts'],
    rules: {
      'no-restricted-properties': ['error', ...clockAndChance],
      'no-restricted-syntax': ['error', ...style, ...clockSyntax],
      'no-restricted-globals': ['error', ...named([...timers, 'fetch'], 'Timers and the network are ports of the engine.')],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(@?fastify|ws|ioredis|redis|better-sqlite3|mysql2|kysely|pino)($|/)',
              message: 'The engine knows no library of an edge or of the store.',
            },
            {
              regex: '^(node:)?(fs|net|http|https|dgram|child_process|timers|worker_threads)($|/)',
              message: 'The engine does its input and output through ports.',
            },
          ],
        },
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['server/src/**/*.ts', 'executor/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.fixture.ts', '**/main.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['**/*.vue'],
    extends: [vue.configs['flat/recommended']],
    languageOptions: { parser: vueParser, parserOptions: { parser: tseslint.parser } },
    rules: {
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/no-v-html': 'error',
      'vue/define-emits-declaration': ['error', 'type-based'],
      'vue/define-props-declaration': ['error', 'type-based'],
      // Layout of templates is prettier's.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/html-closing-bracket-spacing': 'off',
      'vue/first-attribute-linebreak': 'off',
      'vue/attributes-order': 'off',
      'vue/multi-word-component-names': 'off',
      'vue/require-default-prop': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    // vue-tsc checks what crosses a component's border; to the linter alone an imported component has no type.
    files: ['web/**/*.ts', 'web/**/*.vue'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'no-restricted-imports': ['error', { paths: nodeModules.map((name) => ({ name, message: 'The console runs in a browser.' })) }],
    },
  },
  // piscina calls the default export of a file.
  { files: ['**/*-worker.ts'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['**/*.d.ts'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['web/dev/**/*.ts', 'web/bundle/**/*.ts', 'web/**/*.test.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['**/*.cjs'],
    extends: [tseslint.configs.recommended],
    languageOptions: { sourceType: 'commonjs' },
    rules: { '@typescript-eslint/no-require-imports': 'off', '@typescript-eslint/no-unused-vars': ['error', { caughtErrors: 'none' }] },
  },
)
