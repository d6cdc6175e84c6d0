/** What stands in an address and may be a secret is shown by no error, no progress and no name, whatever goes wrong. */
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelStore } from '../../src/browser.js'
import { closeServers, FakeDirectory, ranges, serve } from '../../src/checkpoint/sources/testing.js'
import { utf8 } from '../../src/checkpoint/testing.js'
import { run } from '../../src/cli/program.js'
import { testIo } from '../../src/cli/testing.js'
import * as finetune from '../../src/finetune.js'
import * as library from '../../src/index.js'
import { LocalModel } from '../../src/runtime/generate/index.js'
import { ScriptedModel } from '../../src/server/testing/scripted-model.js'

const SECRET = 'hunter2'

/** Addresses with a secret in each place that may have one, below a server. */
const shapesOf = (base: string) => {
  const { protocol, host } = new URL(base)
  return [
    `${protocol}//user:${SECRET}@${host}/model/`,
    `${protocol}//${SECRET}@${host}/model.safetensors`,
    `${base}model.safetensors?token=${SECRET}`,
    `${base}data.jsonl?X-Amz-Signature=${SECRET}&x=1`,
    `${base}model?${SECRET}`,
    `${base}#access_token=${SECRET}`,
    `${base}model;a?b;c=${SECRET}#${SECRET}`,
  ]
}

/** Addresses that no server is reached by. */
const HOPELESS = [
  `https://user:${SECRET}@exa mple.org/model`,
  `https://user:${SECRET}@example.org:99999/`,
  `HTTPS://user:${SECRET}@[::/`,
  ` https://user:${SECRET}@127.0.0.1:1/`,
  `https:/user:${SECRET}@127.0.0.1:1/?a=${SECRET}`,
  `https:user:${SECRET}@127.0.0.1:1`,
  `ftp://user:${SECRET}@127.0.0.1/model?key=${SECRET}`,
  `s3://key:${SECRET}@bucket/model`,
  `file://user:${SECRET}@nowhere/model?a=${SECRET}`,
  `http://127.0.0.1:1/?token=${SECRET}`,
  `http://user:${SECRET}@127.0.0.1:1/`,
]

const model = new ScriptedModel()
const loadAdapter = LocalModel.prototype.loadAdapter.bind(model)
const options = { stallTimeout: 100 }
const pairs = { format: 'input-output', maxSourceLength: 8, maxTargetLength: 8 } as const

/** Everything that takes an address. */
const READ: Readonly<Record<string, (address: string) => Promise<unknown>>> = {
  loadModel: (address) => library.loadModel(address, options),
  'loadModel of a URL': (address) => library.loadModel(URL.parse?.(address) ?? address, options),
  downloadCheckpoint: (address) => library.downloadCheckpoint(address, new library.MemoryFiles(), options),
  convertCheckpoint: (address) => library.convertCheckpoint(address, new library.MemoryFiles(), options),
  'convertCheckpoint to it': (address) => library.convertCheckpoint(new library.MemoryFiles(), address),
  loadAdapter: (address) => loadAdapter(address, options),
  readDataset: (address) => finetune.readDataset(address, model.tokenizer, pairs),
  checkDataset: (address) => finetune.checkDataset(address, pairs),
  'a store': async (address) => {
    const store = await ModelStore.open({ root: new FakeDirectory('') as never })
    try {
      await store.download(address, { name: 'a', ...options })
    } finally {
      expect(inspect(await store.list())).not.toContain(SECRET)
    }
  },
  'the command': async (address) => {
    const io = testIo()
    await run(['download', address, '/nowhere/at/all'], io)
    throw new Error(io.stdout.text + io.stderr.text)
  },
}

/** Servers, each of which fails in a way of its own. */
const servers: Record<string, string> = {}
beforeAll(async () => {
  servers.missing = await serve((_, response) => response.writeHead(404).end(SECRET))
  servers.forbidden = await serve((_, response) => response.writeHead(403).end())
  servers.damaged = await serve(
    ranges({
      'model.safetensors': utf8('\xff'.repeat(100)),
      'model/model.safetensors': utf8(`<html>${'x'.repeat(100)}`),
      'data.jsonl': utf8('{"prompt": 1}\n'),
    }),
  )
  servers.elsewhere = await serve((_, response) =>
    response.writeHead(302, { Location: `http://user:${SECRET}@127.0.0.1:1/x?sig=${SECRET}` }).end(),
  )
})
afterAll(closeServers)

async function shown(read: (address: string) => Promise<unknown>, address: string): Promise<string> {
  try {
    return inspect(await read(address), { depth: 6 })
  } catch (error) {
    // As whoever logs it sees it: with cause, details and all.
    return inspect(error, { depth: 10 }) + String((error as Error)?.message) + JSON.stringify(error)
  }
}

/** What was shown of addresses, where it has the secret. */
async function leaks(read: (address: string) => Promise<unknown>, addresses: readonly string[]) {
  const texts = await Promise.all(addresses.map((address) => shown(read, address)))
  return texts.filter((text) => text.includes(SECRET))
}

describe.each(Object.entries(READ))('%s shows no secret', (_, read) => {
  it.each(['missing', 'forbidden', 'damaged', 'elsewhere'])(
    'of an address whose server is %s',
    async (server) => {
      expect(await leaks(read, shapesOf(servers[server]))).toEqual([])
    },
  )

  it('of an address that leads nowhere', async () => {
    expect(await leaks(read, HOPELESS)).toEqual([])
  })
})
