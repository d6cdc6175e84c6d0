/**
 * The rule of imports of the design. They point one way, along `ORDER`: a room may use what stands before it, through the
 * `index.ts` of that room. No files import each other in a circle.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { INCLUDED } from '../tools/vite/included.js'

/** Rooms that import no other but the first four. */
const LEAVES = ['platform', 'errors', 'schema', 'protobuf', 'tokenizer', 'checkpoint', 'gpu']
/** The other rooms of the library, in the order in which a token meets them. */
const ORDER = [
  'kernels',
  'runtime/model',
  'runtime/convert',
  'runtime/engine',
  'runtime/generate',
  'data',
  'evaluate',
  'finetune',
  'browser',
  'cards',
  'server',
]
const LIBRARY = [...LEAVES, ...ORDER]

/** What rooms may import where that is not all that stands before them. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  errors: [],
  schema: ['errors'],
  protobuf: [],
  tokenizer: ['errors', 'schema', 'protobuf'],
  checkpoint: ['platform', 'errors', 'schema', 'protobuf'],
  gpu: ['platform', 'errors', 'schema'],
  kernels: ['errors', 'gpu'],
  data: ['errors', 'schema', 'tokenizer', 'checkpoint'],
  doors: LIBRARY.filter((room) => room !== 'server'),
  // The door of the server, which loads what only Node has.
  'server-door': ['server'],
  // The command compares codes of errors without loading the library.
  cli: ['doors', 'server-door', 'errors'],
  demo: ['doors', 'bench'],
  bench: ['doors', 'server-door'],
  tools: ['doors', ...LIBRARY],
}

/** The rooms that the files of a room may import, beside its own. */
function mayImport(room: string): readonly string[] {
  return EXCEPTIONS[room] ?? [...LEAVES, ...ORDER.slice(0, Math.max(0, ORDER.indexOf(room)))]
}

/** The doors of the package but that of the server, `src/<name>.ts`. */
const DOORS = ['index', 'finetune', 'browser', 'gpus']

/** Where a room is entered that has no `index.ts` in a folder of its own below `src/`. */
const ENTRANCES: Readonly<Record<string, string>> = {
  'server-door': 'src/server.ts',
  bench: 'bench/browser/index.ts',
}

/** The one file through which benchmarks reach below the public API: they time what it does not show. */
const BENCH_INTERNALS = 'bench/common/internals.ts'

/** Run in Node only, so that they may import its modules. */
const NODE_ONLY_ROOMS = ['cli', 'server', 'bench', 'tools']
/**
 * Files elsewhere that run in Node only: those of the folders called `node`, which builds for browsers leave out. Others
 * import them only when they run in Node, with `import()`.
 */
const NODE_ONLY_FILES = /^src\/.*\/node\/|^demo\/(vite\.config|plugins\/.*)\.ts$/

const MAX_LINES = 450
const MAX_WGSL_LINES = 250

interface Import {
  readonly specifier: string
  readonly line: number
  /** `type` imports are gone when the program runs; `resolve` only finds a package's files. */
  readonly kind: 'static' | 'type' | 'dynamic' | 'resolve'
}

/** The room of a file by its path from the root of the repository; undefined for those that the rule is not about. */
function roomOf(file: string): string | undefined {
  if (DOORS.some((door) => file === `src/${door}.ts`)) return 'doors'
  if (file === 'src/server.ts') return 'server-door'
  const [top, next, ...rest] = file.split('/')
  if (top !== 'src') return top
  if (rest.length === 0) return undefined
  return next === 'runtime' ? `runtime/${rest[0]}` : next
}

function isForTests(file: string): boolean {
  return /\.test\.ts$|\/testing(\.ts$|\/)/.test(file) || file.startsWith('test/')
}

const isReference = (file: string) => file.endsWith('.reference.ts')

function isNodeOnly(file: string): boolean {
  return NODE_ONLY_ROOMS.includes(roomOf(file) ?? '') || NODE_ONLY_FILES.test(file)
}

/** What is wrong with an import of a file, if anything is. */
function violation(file: string, { specifier, kind }: Import): string | undefined {
  if (isForTests(file) || file === BENCH_INTERNALS || file.endsWith('/vite.config.ts')) return undefined
  if (!specifier.startsWith('.')) {
    if (specifier === 'vitest') return 'only tests import vitest'
    if (specifier.startsWith('node:') && kind === 'static' && !isNodeOnly(file)) {
      return `imports ${specifier} statically, but also runs in browsers`
    }
    return undefined
  }
  const target = posix.join(posix.dirname(file), specifier.replace(/\?.*$/, '')).replace(/\.js$/, '.ts')
  const room = roomOf(file)
  const targetRoom = roomOf(target)
  if (isForTests(target)) return `imports ${target}, which is for tests only`
  if (isReference(target) && !isReference(file)) {
    return room === 'tools' ? undefined : `imports ${target}; references are for tests and tools`
  }
  if (NODE_ONLY_FILES.test(target) && kind === 'static' && !isNodeOnly(file)) {
    return `imports ${target} statically, which runs in Node only`
  }
  if (room === undefined || room === targetRoom) return undefined
  if (targetRoom === undefined || !mayImport(room).includes(targetRoom)) {
    return `${room} must not import ${targetRoom ?? target}`
  }
  if (targetRoom === 'doors') return undefined
  const entrance = ENTRANCES[targetRoom] ?? `src/${targetRoom}/index.ts`
  return target === entrance ? undefined : `imports ${target} past ${entrance}`
}

/** Every import of a program, with its line. */
function importsOf(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
  const imports: Import[] = []
  const add = (node: ts.Node | undefined, kind: Import['kind']) => {
    if (!node || !ts.isStringLiteralLike(node)) return
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
    imports.push({ specifier: node.text, line: line + 1, kind })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, isTypeOnly(node.importClause) ? 'type' : 'static')
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'static')
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, 'type')
    else if (ts.isCallExpression(node)) {
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], 'dynamic')
      else if (node.expression.getText(source).endsWith('.resolve')) add(node.arguments[0], 'resolve')
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return imports
}

/** `import type ...`, or nothing but types in its braces. */
function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { namedBindings } = clause
  if (clause.name || !namedBindings || !ts.isNamedImports(namedBindings)) return false
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly)
}

/** The files of a folder and the folders in it with one of some endings; none where there is no such folder. */
function filesIn(folder: string, endings: RegExp): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile() && endings.test(entry.name))
    return files
      .map((file) => posix.join(file.parentPath, file.name))
      .filter((path) => !path.includes('/fixtures/'))
  } catch {
    return []
  }
}

const programs = ['src', 'demo', 'bench', 'tools'].flatMap((folder) => filesIn(folder, /\.tsx?$/))
const allImports = programs.map((file) => ({ file, imports: importsOf(file, readFileSync(file, 'utf8')) }))

/** Circles of files that import each other when the program runs; each is named once, from its first file on. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    const before = path.indexOf(file)
    if (before >= 0) found.push([...path.slice(before), file].join(' -> '))
    if (before >= 0 || done.has(file)) return
    for (const target of imports.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  return found
}

/** The file of a relative import. */
function targetOf(file: string, specifier: string): string {
  const path = posix.join(posix.dirname(file), specifier.replace(/\?.*$/, ''))
  const candidates = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')]
  return candidates.find((candidate) => programs.includes(candidate)) ?? path
}

describe('every file', () => {
  it('imports only what lies below its room, through the entrance', () => {
    expect(programs.length).toBeGreaterThan(100)
    const found = allImports.flatMap(({ file, imports }) =>
      imports.flatMap((one) => {
        const problem = violation(file, one)
        return problem ? [`${file}:${one.line}: ${problem}`] : []
      }),
    )
    expect(found).toEqual([])
  })

  it('is in no circle of files that import each other', () => {
    const graph = allImports.map(({ file, imports }) => {
      const targets = imports.filter(({ specifier, kind }) => specifier.startsWith('.') && kind !== 'dynamic')
      return [file, targets.map(({ specifier }) => targetOf(file, specifier))] as const
    })
    expect(circles(new Map(graph))).toEqual([])
  })

  it(`has at most ${MAX_LINES} lines, and ${MAX_WGSL_LINES} of WGSL`, () => {
    const sources = ['src', 'demo', 'bench', 'tools', 'test'].flatMap((folder) =>
      filesIn(folder, /\.(tsx?|wgsl|css|html)$/),
    )
    const most = (file: string) => (file.endsWith('.wgsl') ? MAX_WGSL_LINES : MAX_LINES)
    const lines = sources.map((file) => [file, readFileSync(file, 'utf8').split('\n').length - 1] as const)
    expect(lines.filter(([file, count]) => count > most(file))).toEqual([])
  })
})

describe('package.json', () => {
  const { dependencies, peerDependencies, devDependencies } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  ) as Readonly<Record<'dependencies' | 'peerDependencies' | 'devDependencies', object>>
  const packageOf = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const imported = (only: (file: string) => boolean) =>
    allImports.flatMap(({ file, imports }) =>
      only(file)
        ? imports.map(({ specifier, line }) => ({
            name: packageOf(specifier),
            specifier,
            at: `${file}:${line}`,
          }))
        : [],
    )

  it('has no dependency that nothing imports', () => {
    const names = new Set(imported((file) => !isForTests(file)).map(({ name }) => name))
    expect(Object.keys(dependencies).filter((name) => !names.has(name))).toEqual([])
  })

  it('has for development alone what is part of its files', () => {
    expect(INCLUDED.filter((name) => !(name in devDependencies))).toEqual([])
  })

  it('has every other package that the library imports as a dependency or a peer', () => {
    const library = imported((file) => file.startsWith('src/') && !isForTests(file))
    const packages = library.filter(({ specifier }) => !/^(\.|node:)/.test(specifier))
    expect(
      packages
        .filter(({ name }) => !(name in dependencies || name in peerDependencies || INCLUDED.includes(name)))
        .map(({ name, at }) => `${at}: ${name}`),
    ).toEqual([])
  })
})

describe('the search for circles', () => {
  it('names each once', () => {
    const graph = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['d'], e: ['b'] }
    expect(circles(new Map(Object.entries(graph)))).toEqual(['a -> b -> c -> a', 'd -> d'])
  })
})

describe('the rule itself', () => {
  const check = (file: string, line: string) => {
    const [only] = importsOf(file, line)
    return violation(file, only)
  }

  it.each([
    ['demo/src/bench/run.ts', `import type { BenchEvent } from '../../../bench/browser/index.js'`],
    ['src/runtime/generate/model.ts', `import { Gpu } from '../../gpu/index.js'`],
    ['src/runtime/generate/model.ts', `import { Engine } from '../engine/index.js'`],
    ['src/runtime/generate/model.ts', `import { chat } from './chat.js'`],
    ['src/gpu/gpu.ts', `import { invalidOption } from '../errors/index.js'`],
    ['src/kernels/attention/rope/rope.ts', `import source from './rope.wgsl?raw'`],
    ['src/kernels/attention/rope/rope.ts', `import type { HeadShape } from '../../common/heads.js'`],
    ['src/kernels/attention/rope/rope.test.ts', `import { testGpu } from '../../testing/gpu.js'`],
    ['src/kernels/testing/gpu.ts', `import { nodeGpu } from '../../gpu/node/node-gpu.js'`],
    ['src/index.ts', `export { loadModel } from './runtime/generate/index.js'`],
    ['src/cli/main.ts', `import { readFile } from 'node:fs/promises'`],
    ['src/finetune.ts', `export { finetunePrefix } from './finetune/index.js'`],
    ['src/checkpoint/open-files.ts', `import { isNode } from '../platform/index.js'`],
    ['src/checkpoint/open-files.ts', `import type { Stats } from 'node:fs'`],
    ['src/checkpoint/open-files.ts', `const { FolderSink } = await import('./node/folder-sink.js')`],
    ['src/checkpoint/node/folder-source.ts', `import { open } from 'node:fs/promises'`],
    ['src/gpu/node/node-gpu.ts', `import { installSoftwareAdapter } from './software-adapter.js'`],
    ['demo/chat.ts', `import { loadModel } from '../src/index.js'`],
    [
      'tools/tiny/evaluate-model.ts',
      `import { q } from '../src/kernels/linear/quantize/quantize.reference.js'`,
    ],
  ])('allows %s: %s', (file, line) => {
    expect(check(file, line)).toBeUndefined()
  })

  it.each([
    ['src/gpu/gpu.ts', `import { Model } from '../runtime/generate/index.js'`],
    ['src/gpu/gpu.ts', `import { compileRope } from '../kernels/index.js'`],
    ['src/checkpoint/formats/dtype.ts', `import { packHalves } from '../../kernels/index.js'`],
    ['src/tokenizer/tokenizer.ts', `export * from '../checkpoint/index.js'`],
    ['src/runtime/engine/cache.ts', `import { Model } from '../generate/index.js'`],
    ['src/runtime/model/weights.ts', `import type { Engine } from '../engine/index.js'`],
    ['src/data/dataset.ts', `import { Trainer } from '../finetune/index.js'`],
    ['src/runtime/generate/model.ts', `import { Gpu } from '../../gpu/gpu.js'`],
    ['src/runtime/generate/model.ts', `import type { Gpu } from '../../gpu/gpu.js'`],
    ['src/runtime/generate/model.ts', `type Trainer = import('../../finetune/index.js').Trainer`],
    ['src/runtime/generate/model.ts', `import { loadModel } from '../../index.js'`],
    ['src/gpu/adapter.ts', `import { nodeGpu } from './node/node-gpu.js'`],
    ['src/runtime/generate/model.ts', `import { readFile } from 'node:fs/promises'`],
    ['src/checkpoint/open-files.ts', `import { statSync } from 'node:fs'`],
    ['src/checkpoint/formats/dtype.ts', `import { expect } from 'vitest'`],
    ['src/kernels/attention/rope/rope.ts', `import { testGpu } from '../../testing/gpu.js'`],
    ['src/kernels/sampling/sample/sample.ts', `import { draw } from './testing.js'`],
    ['src/kernels/attention/rope/rope.ts', `import { ropeReference } from './rope.reference.js'`],
    ['src/cli/chat.ts', `import { Engine } from '../runtime/engine/index.js'`],
    ['src/cli/chat.ts', `const { run } = await import('../../bench/run.js')`],
    ['demo/chat.ts', `import { loadModel } from '../src/runtime/generate/index.js'`],
    ['demo/src/bench/run.ts', `import { measure } from '../../../bench/kernels/measure.js'`],
    ['demo/chat.ts', `import { readFileSync } from 'node:fs'`],
    ['bench/kernels.ts', `import { compileRope } from '../src/kernels/attention/rope/rope.js'`],
    ['tools/make.ts', `import { planShards } from '../src/checkpoint/formats/shards.js'`],
  ])('forbids %s: %s', (file, line) => {
    expect(check(file, line)).toEqual(expect.any(String))
  })
})
