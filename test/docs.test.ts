/** The documentation is true to the code, as far as a program can tell. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { PassThrough } from 'node:stream'
import { beforeAll, describe, expect, it } from 'vitest'
import { pagePolicy, SECURITY_HEADERS, workerPolicy } from '../demo/src/service-worker/policy.js'
import { run } from '../src/cli/program.js'
import { ERROR_CODES, ERROR_KINDS } from '../src/errors/index.js'
import { withErrorTables } from '../tools/error-tables.js'
import { withFieldTables } from '../tools/field-tables.js'

/** A code block: its language and its lines. */
interface CodeBlock {
  readonly language: string
  readonly code: string
}

interface Page {
  readonly path: string
  /** Lines outside code blocks. */
  readonly prose: string
  readonly code: readonly CodeBlock[]
  readonly headings: readonly string[]
  /** Targets of links and pictures. */
  readonly links: readonly string[]
}

function readPage(path: string): Page {
  const parts = readFileSync(path, 'utf8').split(/^```(\S*)\n([\s\S]*?)^```$/m)
  const prose = parts.filter((_, i) => i % 3 === 0).join('\n')
  return {
    path,
    prose,
    code: parts.flatMap((language, i) => (i % 3 === 1 ? [{ language, code: parts[i + 1] }] : [])),
    headings: [...prose.matchAll(/^#+ .*$/gm)].map(([line]) => line),
    links: [...prose.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target),
  }
}

/** What a heading is linked by, as on GitHub. */
function anchorOf(heading: string): string {
  const text = heading.replace(/^#+ /, '').toLowerCase()
  return text.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-')
}

const folders = ['.', 'docs']
const pages = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => readPage(posix.join(folder, name))),
)
const page = (path: string) => pages.find((one) => one.path === path)!

describe('links', () => {
  it.each(pages.map((one) => [one.path, one] as const))('of %s lead somewhere', (path, { links }) => {
    const broken = links.filter((link) => {
      if (/^https:/.test(link)) return false
      const [file, anchor] = link.split('#')
      const target = file === '' ? path : posix.join(posix.dirname(path), file)
      if (!existsSync(target)) return true
      return anchor !== undefined && !readPage(target).headings.map(anchorOf).includes(decodeURI(anchor))
    })
    expect(broken).toEqual([])
  })

  it('lead to every page of docs/ from the README', () => {
    const unlinked = pages.filter(
      ({ path }) => path.startsWith('docs/') && !page('README.md').links.includes(path),
    )
    expect(unlinked.map(({ path }) => path)).toEqual([])
  })
})

describe('the English and the Chinese README', () => {
  const english = page('README.md')
  const chinese = page('README.zh-CN.md')

  it('have the same structure', () => {
    const levels = ({ headings }: Page) => headings.map((heading) => heading.indexOf(' '))
    const rows = ({ prose }: Page) => [...prose.matchAll(/^\|/gm)].length
    expect(levels(chinese)).toEqual(levels(english))
    expect(rows(chinese)).toBe(rows(english))
  })

  it('have the same code', () => {
    const withoutComments = ({ code }: Page) => code.map((block) => block.code.replace(/ +# .*$/gm, ''))
    expect(withoutComments(chinese)).toEqual(withoutComments(english))
  })

  it('have the same links', () => {
    const targets = ({ links }: Page) => links.filter((link) => !/^(#|README)/.test(link))
    expect(targets(chinese)).toEqual(targets(english))
    expect(english.links).toContain('README.zh-CN.md')
    expect(chinese.links).toContain('README.md')
  })
})

describe('what the documentation names', () => {
  const everything = pages.map(({ path, prose, code }) => ({
    path,
    text: [prose, ...code.map((block) => block.code)].join('\n'),
  }))

  it('of npm scripts is in package.json', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }
    const unknown = everything.flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)]
        .map(([, script, short]) => script ?? short)
        .filter((script) => !(script in scripts))
        .map((script) => `${path}: npm run ${script}`),
    )
    expect(unknown).toEqual([])
  })

  it('of files is there', () => {
    // Paths in code spans, with a room or a folder of the repository in front.
    const named = /^(?:src|docs|test|tools|bench|models\/tiny|\.ci)\/[\w./-]+$/
    const missing = everything.flatMap(({ path, text }) =>
      [...text.matchAll(/`([^`\n]+)`/g)]
        .map(([, span]) => span)
        .filter((span) => named.test(span) && !existsSync(span))
        .map((span) => `${path}: ${span}`),
    )
    expect(missing).toEqual([])
  })

  it('of exports is exported', () => {
    const doors = new Map<string, string>()
    const imported = pages.flatMap(({ path, code }) =>
      code.flatMap((block) =>
        [...block.code.matchAll(/import \{([^}]*)\} from 'chatglm-webgpu(?:\/(\w+))?'/g)].flatMap(
          ([, names, door = 'index']) => {
            doors.set(door, readFileSync(`src/${door}.ts`, 'utf8'))
            return names.split(',').map((name) => ({ path, door, name: name.replace('type ', '').trim() }))
          },
        ),
      ),
    )
    expect(imported.length).toBeGreaterThan(0)
    expect(imported.filter(({ door, name }) => !new RegExp(`\\b${name}\\b`).test(doors.get(door)!))).toEqual(
      [],
    )
  })

  it('has every error class that is exported', () => {
    const doors = ['index', 'finetune', 'browser'].map((door) => readFileSync(`src/${door}.ts`, 'utf8'))
    const exported = doors.join().match(/\b[A-Z]\w*Error\b/g)!
    const { prose } = page('docs/troubleshooting.md')
    expect(exported.filter((name) => !prose.includes(`\`${name}\``))).toEqual([])
  })

  it('of codes of errors is in the table of codes, whose page is current', () => {
    const kinds = Object.keys(ERROR_KINDS).join('|')
    const unknown = everything.flatMap(({ path, text }) =>
      [...text.matchAll(new RegExp(`[\`'](?:${kinds})\\.[a-z-]+[\`']`, 'g'))]
        .map(([span]) => span.slice(1, -1))
        .filter((code) => !(code in ERROR_CODES) && !code.endsWith('.json'))
        .map((code) => `${path}: ${code}`),
    )
    expect(unknown).toEqual([])
    const troubleshooting = readFileSync('docs/troubleshooting.md', 'utf8')
    expect(withErrorTables(troubleshooting), 'run npm run docs:errors').toBe(troubleshooting)
  })

  it('has the fields of requests that the server describes', () => {
    const server = readFileSync('docs/server.md', 'utf8')
    expect(withFieldTables(server), 'run npm run docs:server').toBe(server)
  })

  it('has every kernel that is exported', () => {
    const exported = [...readFileSync('src/kernels/index.ts', 'utf8').matchAll(/from '\.\/\w+\/([\w-]+)\//g)]
    // What computes on the host is no kernel.
    const kernels = exported.map(([, folder]) => folder).filter((folder) => folder !== 'on-host')
    expect(kernels.length).toBeGreaterThan(5)
    expect(kernels.filter((name) => !page('docs/kernels.md').headings.includes(`### ${name}`))).toEqual([])
  })

  it('says of kernels that the runtime does not use them yet, where that is so', () => {
    const runtime = ['src/runtime', 'src/finetune/engine']
      .flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => posix.join(folder, name)),
      )
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n')
    const [, ...sections] = page('docs/kernels.md')
      .prose.split(/^## The kernels$/m)[1]
      .split(/^### /m)
    const wrong = sections.filter((section) => {
      const name = section
        .slice(0, section.indexOf('\n'))
        .replace(/(?:^|-)(.)/g, (_, first) => first.toUpperCase())
      const isUsed = new RegExp(`\\bcompile${name}\\b`).test(runtime)
      return isUsed === section.includes('The runtime does not use it yet')
    })
    expect(wrong.map((section) => section.split('\n')[0])).toEqual([])
  })

  it('says nothing of the machines and people behind it', () => {
    const unwanted = /\/root\/|\/home\/\w|localhost:\d|\bTODO\b|\bFIXME\b/g
    const odd = everything.flatMap(({ path, text }) =>
      [...text.matchAll(unwanted)].map(([found]) => `${path}: ${found}`),
    )
    expect(odd).toEqual([])
  })
})

describe('the command line that the documentation shows', () => {
  const COMMANDS = [
    '',
    'chat',
    'generate',
    'merge-shards',
    'serve',
    'convert',
    'data',
    'finetune',
    'evaluate',
    'merge',
    'devices',
    'plan',
  ] as const
  /** Options of each command, by its help. */
  const options = new Map<string, Set<string>>()

  beforeAll(async () => {
    for (const command of COMMANDS) {
      const stdout = new PassThrough({ encoding: 'utf8' })
      const io = {
        stdin: new PassThrough(),
        stdout,
        stderr: new PassThrough(),
        env: {},
        onInterrupt: () => () => {},
      }
      await run(command === '' ? ['--help'] : [command, '--help'], io)
      // Its own commands have options, too.
      if (command === 'data') await run(['data', 'advertise-gen', '--help'], io)
      options.set(command, new Set(String(stdout.read() ?? '').match(/--[a-z][\w-]*/g)))
    }
  })

  const lines = () =>
    pages.flatMap(({ path, code }) =>
      code
        .filter(({ language }) => language === 'sh')
        .flatMap((block) => block.code.replaceAll('\\\n', ' ').split('\n'))
        .flatMap((line) => {
          const match = /(?:^|\s)(?:npx )?chatglm(?: (.*))?$/.exec(line.replace(/\s#.*$/, ''))
          return match ? [{ path, line, words: (match[1] ?? '').split(/\s+/) }] : []
        }),
    )

  it('has its commands', () => {
    expect(lines().length).toBeGreaterThan(3)
    expect(lines().filter(({ words }) => !(COMMANDS as readonly string[]).includes(words[0]))).toEqual([])
  })

  it('has its options', () => {
    const unknown = lines().filter(({ words }) =>
      words.some((word) => word.startsWith('--') && !options.get(words[0])?.has(word)),
    )
    expect(unknown).toEqual([])
  })

  it('has a page of the server with every option of its own', () => {
    const text = page('docs/server.md').prose
    const own = [...options.get('serve')!].filter((one) => !options.get('generate')!.has(one))
    expect(own.length).toBeGreaterThan(8)
    expect(own.filter((option) => !text.includes(`\`${option}`))).toEqual([])
  })

  it('has the options that are named in the text', () => {
    const known = new Set([...options.values()].flatMap((names) => [...names]))
    const named = pages.flatMap(({ path, prose }) =>
      [...prose.matchAll(/`(--[a-z][\w-]*)[^`]*`/g)].map(([, option]) => ({ path, option })),
    )
    expect(named.filter(({ option }) => !known.has(option))).toEqual([])
  })
})

describe('the configuration of nginx for the demo page', () => {
  const config = () => page('docs/browser-support.md').code.find(({ language }) => language === 'nginx')!.code

  it('has the policies of the page and of its workers', () => {
    const own = `${pagePolicy(['SCRIPT_HASH'])}; frame-ancestors 'none'`
    expect(config()).toContain(`default "${own}"`)
    expect(config()).toContain(`\\.js$" "${workerPolicy(['https:', 'http:'])}"`)
  })

  it('has the other headers that npm run demo sends', () => {
    const sent = [...config().matchAll(/add_header (\S+) "?([^";$]+)"?;/g)].map(([, name, value]) => [
      name,
      value,
    ])
    expect(Object.fromEntries(sent)).toEqual(SECURITY_HEADERS)
  })
})
