import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { folderName, itemName } from './item-folder.js'

describe('the folder of a stored item', () => {
  it('has a name that every file system takes, whatever the item is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (item) => {
        const name = folderName(item)
        expect(name).toMatch(/^[ -~]+$/)
        expect(name).not.toMatch(/[\\/<>:"|?*.]|[. ]$/)
        expect(itemName(name)).toBe(item)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['a/b. 中', 'a%2Fb%2E %E4%B8%AD'],
    ['CON', '%43%4F%4E'],
    ['con', '%63on'],
    ['Model', '%4Dodel'],
    ['com1', '%63om1'],
    ['console', 'console'],
    ['tail ', 'tail%20'],
    ['..', '%2E%2E'],
    ['50%', '50%25'],
  ])('%j is called %j', (item, folder) => {
    expect(folderName(item)).toBe(folder)
  })

  it('belongs to no item where its name was given otherwise', () => {
    for (const folder of ['%', '%E4', '中', 'a.b', 'CON', '%61']) expect(itemName(folder)).toBeUndefined()
  })
})
