import { readFileSync } from 'node:fs'
import path from 'node:path'
import pluginVue from 'eslint-plugin-vue'
import ts from 'typescript'
import tseslint from 'typescript-eslint'

const { parser } = tseslint
const vueParser = pluginVue.configs['flat/base'].find((config) => config.languageOptions?.parser).languageOptions.parser
const root = path.resolve(import.meta.dirname, '../..')

/** Which project's options hold for what, and which of its files are asked about. */
const parts = [
  { project: 'tsconfig.node.json', folders: ['src-main', 'src-shared'] },
  { project: 'tsconfig.pages.json', folders: ['src-renderer', 'tests/e2e'] },
]

/** The TypeScript that vue-eslint-parser makes of a component's script: what the rules will be shown, so what the program must hold. */
function scriptOf(file) {
  let script = ''
  const found = new Error('found')
  const listener = {
    parseForESLint(code, options) {
      // It takes the project away where it parses pieces.
      if (options.projectService !== true) return parser.parseForESLint(code, options)
      script = code
      throw found
    },
  }
  try {
    vueParser.parseForESLint(readFileSync(file, 'utf8'), { filePath: file, parser: listener, projectService: true, sourceType: 'module', ecmaVersion: 2024 })
  } catch (error) {
    if (error !== found) throw error
  }
  return script
}

function createProgram({ project, folders }) {
  const { config } = ts.readConfigFile(path.join(root, project), ts.sys.readFile)
  const vue = { extension: '.vue', isMixedContent: true, scriptKind: ts.ScriptKind.Deferred }
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root)
  const { fileNames } = ts.parseJsonConfigFileContent(
    { ...config, include: folders.map((folder) => `${folder}/**/*`), exclude: [] }, ts.sys, root, undefined, undefined, undefined, [vue],
  )
  const settings = { ...options, allowNonTsExtensions: true, incremental: false, tsBuildInfoFile: undefined }
  const host = ts.createCompilerHost(settings, true)
  const { getSourceFile } = host
  host.getSourceFile = (file, languageVersion, ...more) => file.endsWith('.vue')
    ? ts.createSourceFile(file, scriptOf(file), languageVersion, true, ts.ScriptKind.TS)
    : getSourceFile(file, languageVersion, ...more)
  return ts.createProgram(fileNames, settings, host)
}

const programs = new Map()

function programFor(file) {
  const relative = path.relative(root, file).replaceAll(path.sep, '/')
  const part = parts.find(({ folders }) => folders.some((folder) => relative.startsWith(`${folder}/`)))
  if (part === undefined) return undefined
  let program = programs.get(part)
  if (program === undefined) programs.set(part, program = createProgram(part))
  return program
}

export const meta = { name: 'maskscope/typed-parser' }

/**
 * typescript-eslint's parser with one program for all components: its project service makes a new one, with nothing known, at
 * every component that is opened, which took most of the time of the whole lint. What differs from the file, as in an editor,
 * is left to the service.
 */
export function parseForESLint(code, options) {
  const program = options.projectService === true ? programFor(options.filePath) : undefined
  if (program?.getSourceFile(options.filePath)?.text !== code) return parser.parseForESLint(code, options)
  return parser.parseForESLint(code, { ...options, projectService: undefined, programs: [program] })
}
