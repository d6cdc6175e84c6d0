import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CORPUS_FILES, CorpusError, checkCorpus, writeCorpus } from './write-corpus.js'

describe('the text in a folder', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corpus-'))
    await writeCorpus(folder, 200, 1)
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('is whole as it was written', async () => {
    await expect(checkCorpus(folder)).resolves.toBeUndefined()
  })

  it('with an empty or a missing file is refused, and the file is named', async () => {
    const path = join(folder, CORPUS_FILES.training)
    await writeFile(path, '')
    await expect(checkCorpus(folder)).rejects.toThrow(CorpusError)
    await expect(checkCorpus(folder)).rejects.toThrow(`${path} is empty. \`node build/make-tiny-corpus.js`)
    await unlink(path)
    await expect(checkCorpus(folder)).rejects.toThrow(`${path} is missing. `)
  })

  it('that is not there is refused', async () => {
    await expect(checkCorpus(join(folder, 'none'))).rejects.toThrow(/none.tokenizer\.model is missing/)
  })
})
