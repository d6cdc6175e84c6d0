import { describe, expect, it } from 'vitest'
import { newConversation } from '../../demo/src/conversation/defaults.js'
import {
  exportConversations,
  ImportError,
  importConversations,
} from '../../demo/src/conversation/exchange.js'
import { messagesOf, textOf } from '../../demo/src/conversation/messages.js'
import {
  alternatives,
  endInterrupted,
  newestLeaf,
  pathTo,
  withAlternative,
  withTurn,
} from '../../demo/src/conversation/tree.js'
import type { Conversation, Turn } from '../../demo/src/conversation/types.js'
import { partOf } from '../../demo/src/service-worker/range.js'

const question = (id: string, parent: string | null): Turn => ({
  id,
  parent,
  content: { kind: 'question', text: id },
})
const answer = (id: string, parent: string): Turn => ({
  id,
  parent,
  content: {
    kind: 'answer',
    segments: [{ type: 'text', text: id }],
    messages: [{ role: 'assistant', content: id }],
    end: 'stop',
    prefix: { name: null, strength: 1 },
  },
})

/** q1 with the answers a1 and a2; behind a1 the questions q2 and q3. */
const tree = [
  question('q1', null),
  answer('a1', 'q1'),
  question('q2', 'a1'),
  question('q3', 'a1'),
  answer('a2', 'q1'),
].reduce<Conversation>(withTurn, newConversation())

const ids = (turns: readonly Turn[]) => turns.map(({ id }) => id)

describe('a conversation', () => {
  it('shows the path to what was written last', () => {
    expect(ids(pathTo(tree.turns, tree.current))).toEqual(['q1', 'a2'])
  })

  it('knows the alternatives of a turn, and goes back to one with the newest that follows it', () => {
    const [, a1, , , a2] = tree.turns
    expect(ids(alternatives(tree.turns, a2))).toEqual(['a1', 'a2'])
    const back = withAlternative(tree, a2, -1)
    expect(ids(pathTo(back.turns, back.current))).toEqual(['q1', 'a1', 'q3'])
    expect(withAlternative(tree, a2, 1)).toBe(tree)
    expect(newestLeaf(tree.turns, a1.id)).toBe('q3')
  })

  it('asks the model with the system prompt and the path, and with no system prompt where it is blank', () => {
    const path = pathTo(tree.turns, 'q2')
    const settings = { ...tree.settings, system: 'Be brief.' }
    expect(messagesOf(path, settings)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'q1' },
      { role: 'assistant', content: 'a1' },
      { role: 'user', content: 'q2' },
    ])
    expect(messagesOf(path, { ...settings, system: ' \n' })[0].role).toBe('user')
  })

  it('ends answers that were under way when the page was left', () => {
    const { end: _, ...unfinished } = answer('a3', 'q3').content as Extract<
      Turn['content'],
      { kind: 'answer' }
    >
    const left = withTurn(tree, { id: 'a3', parent: 'q3', content: unfinished })
    expect(endInterrupted(left).turns.at(-1)?.content).toMatchObject({ end: 'stopped' })
  })
})

describe('exported conversations', () => {
  it('come back as they were, under a new id', () => {
    const [back] = importConversations(exportConversations([tree]))
    expect(back).toEqual({ ...tree, id: back.id })
    expect(back.id).not.toBe(tree.id)
  })

  const damaged = (change: (conversation: { turns: Turn[]; current: unknown }) => void) => {
    const exchange = JSON.parse(exportConversations([tree]))
    change(exchange.conversations[0])
    return JSON.stringify(exchange)
  }

  it.each([
    ['no JSON', '{'],
    ['another format', '{"format":"other","version":1,"conversations":[]}'],
    ['a turn before its parent', damaged(({ turns }) => turns.reverse())],
    ['a turn twice', damaged(({ turns }) => turns.push(turns[0]))],
    [
      'a current turn that is not there',
      damaged((one) => {
        one.current = 'nowhere'
      }),
    ],
  ])('are refused with %s', (_, text) => {
    expect(() => importConversations(text)).toThrow(ImportError)
  })

  it('are whole or refused, whatever value stands anywhere in them', () => {
    const text = exportConversations([tree])
    /** Every place of a value, as the names and indexes that lead there. */
    const places = (value: unknown, path: (string | number)[] = []): (string | number)[][] => {
      const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
      return [path, ...inner.flatMap(([key, item]) => places(item, [...path, key]))]
    }
    let refused = 0
    for (const path of places(JSON.parse(text).conversations)) {
      for (const wrong of [null, undefined, 1, -1, 1e308, 'x', '', true, [], [null], {}]) {
        const exchange = JSON.parse(text)
        const at = path.slice(0, -1).reduce((value, key) => value[key], exchange.conversations)
        if (path.length > 0) at[path[path.length - 1]] = wrong
        try {
          const imported = importConversations(JSON.stringify(exchange))
          for (const one of imported) {
            messagesOf(pathTo(one.turns, one.current), one.settings)
            for (const { content } of one.turns) if (content.kind === 'answer') textOf(content.segments)
          }
          exportConversations(imported)
        } catch (error) {
          expect(error).toBeInstanceOf(ImportError)
          refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(400)
  })

  it('keep every digit of an id in a call', () => {
    const parameters = { id: 1234567890123456789n, x: 0.5 }
    const call: Turn = answer('a3', 'q3')
    const content = {
      ...call.content,
      segments: [{ type: 'tool-call', name: 'f', parameters }],
    } as Turn['content']
    const [back] = importConversations(exportConversations([withTurn(tree, { ...call, content })]))
    expect(back.turns.at(-1)?.content).toMatchObject({ segments: [{ parameters }] })
  })
})

describe('the service worker', () => {
  const ask = (headers: Record<string, string> = {}, method = 'GET') =>
    partOf(new Response('0123456789'), new Request('https://page.example/file', { headers, method }))

  it('answers a range of a kept file as a server does', async () => {
    const part = await ask({ Range: 'bytes=2-4' })
    expect([part.status, part.headers.get('Content-Range')]).toEqual([206, 'bytes 2-4/10'])
    expect(await part.text()).toBe('234')
    expect(await (await ask({ Range: 'bytes=8-' })).text()).toBe('89')
  })

  it('refuses a range behind the end, and tells the size without the bytes', async () => {
    const behind = await ask({ Range: 'bytes=10-11' })
    expect([behind.status, behind.headers.get('Content-Range')]).toEqual([416, 'bytes */10'])
    const head = await ask({}, 'HEAD')
    expect([head.headers.get('Content-Length'), await head.text()]).toEqual(['10', ''])
  })
})
