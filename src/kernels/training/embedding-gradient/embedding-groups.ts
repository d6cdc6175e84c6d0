import { kernelArgument } from '../../errors.js'

/** Which rows belong to which token, as the gradient of an embedding takes it. */
export interface EmbeddingGroups {
  /** Row numbers sorted by token, those of a token rising. */
  readonly order: Uint32Array<ArrayBuffer>
  /** [distinct, 3], by rising token: token, its first place in `order`, its count. */
  readonly groups: Uint32Array<ArrayBuffer>
}

/**
 * Sorts rows by their token.
 * @param ids the token of each row
 * @throws `option.kernel-argument` where an id is no integer from 0 on
 */
export function embeddingGroups(ids: readonly number[]): EmbeddingGroups {
  const wrong = ids.find((id) => !Number.isSafeInteger(id) || id < 0)
  if (wrong !== undefined) throw kernelArgument('embedding-gradient', `token ${wrong}`)
  const order = Uint32Array.from(ids.keys()).sort((a, b) => ids[a] - ids[b] || a - b)
  const groups: number[] = []
  order.forEach((row, place) => {
    if (place === 0 || ids[row] !== ids[order[place - 1]]) groups.push(ids[row], place, 0)
    groups[groups.length - 1]++
  })
  return { order, groups: new Uint32Array(groups) }
}
