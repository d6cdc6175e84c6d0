import type { SourceLocation } from '../checkpoint/index.js'
import type { AdapterHandle } from '../runtime/model/index.js'
import { ApiError, badRequest, unknownModel } from './api-error.js'
import type { GenerationFields } from './requests/fields.js'
import type { ServedModel } from './served-model.js'

/** A prefix that clients can name. */
export interface ServedPrefix {
  readonly name: string
  readonly prefix: AdapterHandle
  /** Its weight where a request names none, 0 to 1. */
  readonly strength: number
  /** When it was loaded, in seconds since 1970. */
  readonly created: number
}

/** What a request is answered with. */
export interface Target {
  /** The model that the answer names. */
  readonly model: string
  readonly served: ServedPrefix | undefined
  readonly strength: number
}

const now = () => Math.floor(Date.now() / 1000)

/** The model and its prefixes, by the names that clients know them by. */
export class Catalog {
  readonly name: string
  readonly created = now()
  readonly #model: ServedModel
  readonly #prefixes = new Map<string, ServedPrefix>()
  readonly #loading = new Set<string>()

  constructor(model: ServedModel, name: string) {
    this.#model = model
    this.name = name
  }

  get prefixes(): readonly ServedPrefix[] {
    return [...this.#prefixes.values()]
  }

  /** All names, the model's own first. */
  get names(): readonly string[] {
    return [this.name, ...this.#prefixes.keys()]
  }

  /**
   * Loads a prefix under a name.
   * @throws ApiError 409 where the name is taken, errors of the prefix
   */
  async load(name: string, source: SourceLocation, strength = 1): Promise<ServedPrefix> {
    if (this.names.includes(name) || this.#loading.has(name)) {
      const message = `The name "${name}" is taken already.`
      throw new ApiError(409, 'invalid_request_error', 'name_taken', message, { param: 'id' })
    }
    this.#loading.add(name)
    try {
      const served = { name, prefix: await this.#model.loadAdapter(source), strength, created: now() }
      this.#prefixes.set(name, served)
      return served
    } finally {
      this.#loading.delete(name)
    }
  }

  /** Takes a prefix away; answers under way that use it end first. */
  async unload(name: string): Promise<void> {
    const { prefix } = this.find(name)
    this.#prefixes.delete(name)
    await this.#model.unloadAdapter(prefix)
  }

  /** Sets the strength of a prefix where a request names none. */
  weigh(name: string, strength: number): ServedPrefix {
    const served = { ...this.find(name), strength }
    this.#prefixes.set(name, served)
    return served
  }

  /** @throws ApiError 404 */
  find(name: string): ServedPrefix {
    const served = this.#prefixes.get(name)
    if (served) return served
    const known = [...this.#prefixes.keys()].join(', ') || 'none'
    const message = `There is no prefix "${name}" here. There are: ${known}.`
    throw new ApiError(404, 'invalid_request_error', 'prefix_not_found', message, { param: 'prefix' })
  }

  /**
   * What a request asks for: `model` may name a prefix, and `prefix` has the last word.
   * @throws ApiError 404 for a name that nothing has, 400 where both name a prefix and not the same
   */
  resolve({ model = this.name, prefix }: Pick<GenerationFields, 'model' | 'prefix'>): Target {
    if (!this.names.includes(model)) throw unknownModel(model, this.names)
    if (model !== this.name && prefix && prefix.id !== model) {
      const message = `The model ${model} is a prefix already, so that the prefix ${prefix.id} cannot be used with it.`
      throw badRequest('prefix_conflict', message, 'prefix')
    }
    const name = prefix?.id ?? (model === this.name ? undefined : model)
    if (name === undefined) return { model, served: undefined, strength: 1 }
    const served = this.find(name)
    return { model, served, strength: prefix?.strength ?? served.strength }
  }
}
