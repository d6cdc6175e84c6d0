/** The package as its users get it: packed, and installed by npm in a folder that has nothing of this repository. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

interface PackedFile {
  readonly path: string
}

/** A project of a user. */
export class Installation {
  readonly folder: string
  /** The files of the package. */
  readonly packed: readonly string[]
  /** What npm printed, without what it says of scripts of packages, which depends on its version. */
  readonly output: string
  readonly #temporary: string
  #tools: Promise<void> | undefined

  private constructor(temporary: string, folder: string, packed: readonly string[], output: string) {
    this.#temporary = temporary
    this.folder = folder
    this.packed = packed
    this.output = output
  }

  /** Packs what `npm run build` has built, and installs it alone. */
  static async create(): Promise<Installation> {
    const temporary = await mkdtemp(join(tmpdir(), 'chatglm-package-'))
    const folder = join(temporary, 'project')
    const { stdout } = await execute(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', temporary],
      {
        maxBuffer: 2 ** 26,
      },
    )
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: readonly PackedFile[] }]
    await cp('test/package/project', folder, { recursive: true })
    const own = join(folder, 'package.json')
    await rm(own)
    await writeFile(own, '{ "private": true, "type": "module" }')
    const installed = await npm(folder, 'install', join(temporary, filename))
    return new Installation(
      temporary,
      folder,
      files.map(({ path }) => path),
      installed,
    )
  }

  /** The names of all packages that are there. */
  async packages(): Promise<string[]> {
    const root = join(this.folder, 'node_modules')
    const names = (await readdir(root)).filter((name) => !name.startsWith('.'))
    const nested = names.map(async (name) =>
      name.startsWith('@') ? (await readdir(join(root, name))).map((one) => `${name}/${one}`) : [name],
    )
    return (await Promise.all(nested)).flat().sort()
  }

  /** Installs bundlers and compilers beside it, once. */
  addTools(): Promise<void> {
    this.#tools ??= this.#addTools()
    return this.#tools
  }

  async #addTools(): Promise<void> {
    const wanted = JSON.parse(await readFile('test/package/project/package.json', 'utf8')) as {
      dependencies: Readonly<Record<string, string>>
    }
    const specs = Object.entries(wanted.dependencies).map(([name, version]) => `${name}@${version}`)
    await npm(this.folder, 'install', ...specs)
  }

  /** Runs a script of a package, as `run` does. */
  node(...args: readonly string[]): Promise<string> {
    return this.run(process.execPath, ...args)
  }

  /**
   * Runs a program.
   * @returns all that it printed
   * @throws Error with what it printed, where it failed
   */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    try {
      const { stdout, stderr } = await execute(program, args, this.#options())
      return stdout + stderr
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`)
    }
  }

  /**
   * Starts a program that goes on.
   * @param ready what it prints when it is ready
   * @returns the first group of `ready`, and what ends the program
   */
  async start(
    args: readonly string[],
    ready: RegExp,
  ): Promise<{ readonly found: string; readonly stop: () => Promise<void> }> {
    const child = spawn(process.execPath, args, { ...this.#options(), stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = new Promise<void>((done) => child.once('exit', () => done()))
    const stop = async () => {
      child.kill()
      await ended
    }
    return { found: await waitFor(child, ready), stop }
  }

  async remove(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true })
  }

  #options() {
    const env = { ...process.env, NODE_ENV: undefined, VITEST: undefined, NEXT_TELEMETRY_DISABLED: '1' }
    return { cwd: this.folder, env, maxBuffer: 2 ** 26 }
  }
}

function waitFor(child: ChildProcess, ready: RegExp): Promise<string> {
  let printed = ''
  return new Promise((done, fail) => {
    const take = (text: unknown) => {
      printed += String(text)
      const found = ready.exec(printed)
      if (found) done(found[1])
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.once('exit', () => fail(new Error(`It ended: ${printed}`)))
  })
}

async function npm(folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: resolve(folder),
    maxBuffer: 2 ** 26,
  })
  const ofScripts = (line: string) => line.startsWith('npm warn install-scripts')
  return `${stdout}${stderr}`
    .split('\n')
    .filter((line) => !ofScripts(line))
    .join('\n')
}
