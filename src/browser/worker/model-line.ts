import type { ModelHost } from './model-host.js'
import { unwrap } from './outcome.js'
import type { Answer, ModelState } from './protocol.js'
import { type Question, WorkerLine } from './worker-line.js'

/** The line to a worker with a model, which tells of itself with every answer. */
export class ModelLine<Host extends ModelHost = ModelHost> extends WorkerLine<Host> {
  /** What the model told last. */
  state: ModelState | undefined

  override async ask<A>(question: Question<Host, A>): Promise<A> {
    const answer = await super.ask(question)
    this.state = (answer as Partial<Answer<unknown>>).state ?? this.state
    return answer
  }

  /** The value that the worker answers; throws its error. */
  async value<T>(question: Question<Host, Answer<T>>): Promise<T> {
    return unwrap(await this.ask(question))
  }
}
