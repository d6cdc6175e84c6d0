import { SourceError } from '../../errors/index.js'
import { isNode } from '../../platform/index.js'
import { isJsonObject, isSize } from '../formats/json.js'
import { normalizePath } from '../paths.js'
import { discard, Interrupted, Retries, request, wholeBody } from './http-requests.js'
import { type HttpOptions, HttpSource } from './http-source.js'
import { hubEnvironment } from './hub-environment.js'
import { showUrl } from './show-url.js'
import { SharedQuestion } from './waiting.js'

/** A hub of models: where it is, and how it is asked. */
interface Hub {
  readonly endpoint: string
  readonly revision: string
  /** Where the files of a repository lie, and where they are listed, below the endpoint. */
  readonly files: (repository: string, revision: string) => string
  readonly listing: (repository: string, revision: string) => string
  /** The files of a listing. */
  readonly entries: (listing: unknown) => unknown
  /** Size, path and SHA-256 (where it has one) of an entry; undefined for a folder. */
  readonly entry: (entry: Readonly<Record<string, unknown>>) => Partial<HubFile> | undefined
}

interface HubFile {
  readonly path: string
  readonly size: number
  readonly sha256: string
}

const HUBS = {
  // https://huggingface.co/docs/hub/api
  hf: {
    endpoint: 'https://huggingface.co',
    revision: 'main',
    files: (repository, revision) => `${repository}/resolve/${revision}/`,
    listing: (repository, revision) => `api/models/${repository}/tree/${revision}?recursive=true`,
    entries: (listing) => listing,
    entry: ({ type, path, size, lfs }) =>
      type === 'file' ? typed(path, size, isJsonObject(lfs) ? lfs.oid : undefined) : undefined,
  },
  // https://github.com/modelscope/modelscope/blob/master/modelscope/hub/api.py, get_model_files
  modelscope: {
    endpoint: 'https://modelscope.cn',
    revision: 'master',
    files: (repository, revision) => `models/${repository}/resolve/${revision}/`,
    listing: (repository, revision) =>
      `api/v1/models/${repository}/repo/files?Revision=${revision}&Recursive=true`,
    entries: (listing) =>
      isJsonObject(listing) && isJsonObject(listing.Data) ? listing.Data.Files : undefined,
    entry: ({ Type, Path, Size, Sha256 }) => (Type === 'blob' ? typed(Path, Size, Sha256) : undefined),
  },
} as const satisfies Record<string, Hub>

/** A listing has about 300 bytes a file. */
const MAX_LISTING_BYTES = 16 * 1024 * 1024

export type HubName = keyof typeof HUBS
export const HUB_NAMES = Object.keys(HUBS) as HubName[]

/** Servers of the hubs, for mirrors; the official ones by default. */
export type HubEndpoints = { readonly [name in HubName]?: string }

function typed(path: unknown, size: unknown, sha256: unknown): Partial<HubFile> | undefined {
  if (typeof path !== 'string' || !isSize(size)) return undefined
  const isHash = typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)
  return { path: normalizePath(path), size, ...(isHash && { sha256 }) }
}

/**
 * A repository of Hugging Face or ModelScope. Its files are read as those of any server; beyond that the hub lists
 * them and knows the SHA-256 of the large ones.
 */
export class HubSource extends HttpSource {
  /** The repository of Hugging Face, which has a cache in Node; undefined for one of another hub. */
  readonly cached: { readonly name: string; readonly revision: string } | undefined
  readonly #listing: URL
  readonly #commit: URL
  readonly #hub: Hub
  #files: SharedQuestion<readonly Partial<HubFile>[] | undefined> | undefined

  private constructor(
    hub: Hub,
    endpoint: string,
    repository: string,
    revision: string,
    options: HttpOptions,
    token: string | undefined,
  ) {
    super(
      new URL(hub.files(repository, revision), endpoint),
      options,
      token ? { Authorization: `Bearer ${token}` } : {},
    )
    this.#hub = hub
    this.#listing = new URL(hub.listing(repository, revision), endpoint)
    this.#commit = new URL(`api/models/${repository}/revision/${revision}`, endpoint)
    this.cached = hub === HUBS.hf ? { name: repository, revision: decodeURIComponent(revision) } : undefined
  }

  /**
   * @param id `hf:owner/name` or `modelscope:owner/name`, with `@revision` behind it for another than the main branch
   * @param endpoints servers; by default those that `hubEnvironment` tells of
   * @returns undefined where it names no hub
   * @throws `source.not-found` where it names no repository
   */
  static parse(id: string, endpoints: HubEndpoints = {}, options: HttpOptions = {}): HubSource | undefined {
    const [, name, rest] = /^(hf|modelscope):(.*)$/s.exec(id) ?? []
    if (name === undefined) return undefined
    const hub: Hub = HUBS[name as HubName]
    const [, repository, revision = hub.revision] = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(rest) ?? []
    if (repository === undefined || /(^|\/)\.+(\/|$)/.test(`${repository}/${revision}`)) {
      throw new SourceError(
        'source.not-found',
        `"${id}" names no repository: write ${name}:owner/name, for instance hf:THUDM/chatglm3-6b, ` +
          `or ${name}:owner/name@revision.`,
      )
    }
    const given = endpoints[name as HubName]
    const environment = hubEnvironment(name as HubName)
    const endpoint = given ?? environment.endpoint ?? hub.endpoint
    if (!URL.canParse(endpoint))
      throw new SourceError('source.not-found', `The endpoint ${showUrl(endpoint)} is no valid URL.`)
    return new HubSource(
      hub,
      `${endpoint.replace(/\/+$/, '')}/`,
      repository,
      encodeURIComponent(revision),
      options,
      // The token of the environment is for the hub of the environment.
      given === undefined ? environment.token : undefined,
    )
  }

  protected override get permissionAdvice(): string {
    return isNode
      ? 'The repository is private, gated or not there. Set HF_TOKEN to a token of an account that may read it.'
      : super.permissionAdvice
  }

  protected override get networkAdvice(): string {
    return isNode
      ? `${super.networkAdvice} A mirror can be named by HF_ENDPOINT (MODELSCOPE_DOMAIN for ModelScope).`
      : super.networkAdvice
  }

  override async list(signal?: AbortSignal): Promise<string[]> {
    const files = await this.#list(signal)
    if (!files) return super.list(signal)
    return files
      .map(({ path }) => path!)
      .filter((path) => !path.includes('/'))
      .sort()
  }

  async hashes(signal?: AbortSignal): Promise<ReadonlyMap<string, { size: number; sha256: string }>> {
    const files = (await this.#list(signal)) ?? []
    return new Map(
      files.flatMap(({ path, size, sha256 }) => (sha256 ? [[path!, { size: size!, sha256 }]] : [])),
    )
  }

  /** The commit that the revision is at; undefined where the server does not tell, as a plain mirror. */
  async commit(signal?: AbortSignal): Promise<string | undefined> {
    const answer = await request(this.#commit, { headers: this.headers }, this.stallTimeout, signal)
    if (!answer.response.ok) {
      await discard(answer.response)
      return undefined
    }
    const bytes = await wholeBody(answer, MAX_LISTING_BYTES, signal)
    const facts = bytes && parseListing(bytes)
    const sha = isJsonObject(facts) ? facts.sha : undefined
    return typeof sha === 'string' && /^[0-9a-f]{40}$/.test(sha) ? sha : undefined
  }

  /** The files; undefined where the server does not list them, as a plain mirror. */
  #list(signal?: AbortSignal): Promise<readonly Partial<HubFile>[] | undefined> {
    if (this.#files === undefined || this.#files.isOver) {
      const asked = new SharedQuestion((shared) => this.#askList(shared))
      asked.answer.catch(() => {
        if (this.#files === asked) this.#files = undefined
      })
      this.#files = asked
    }
    return this.#files.wait(signal)
  }

  async #askList(signal: AbortSignal): Promise<readonly Partial<HubFile>[] | undefined> {
    const retries = new Retries()
    for (;;) {
      try {
        return await this.#askListOnce(signal)
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
        if (!(await retries.again(error, 0, signal))) return undefined
      }
    }
  }

  async #askListOnce(signal: AbortSignal): Promise<readonly Partial<HubFile>[] | undefined> {
    const answer = await request(this.#listing, { headers: this.headers }, this.stallTimeout, signal)
    if (!answer.response.ok) {
      await discard(answer.response)
      return undefined
    }
    const bytes = await wholeBody(answer, MAX_LISTING_BYTES, signal)
    const entries = this.#hub.entries(bytes && parseListing(bytes))
    if (!Array.isArray(entries)) return undefined
    return entries.flatMap((entry) => (isJsonObject(entry) ? (this.#hub.entry(entry) ?? []) : []))
  }
}

/** What a hub sent, if it is JSON: a mirror may answer anything with a page. */
function parseListing(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
