import { nounsOf, type Product } from '../corpus/attributes.js'
import { words } from '../grammar.js'

/** What a title may be made of, in this order. */
const TITLE_ORDER = words('颜色 风格 材质 图案 版型 裤型 裙型 衣长 裙长 裤长 大小 厚薄 鞋跟')
const MAX_TITLE_PARTS = 4

export type ProductJson = Readonly<Record<string, string | readonly string[]>>

/** A short name of the product out of some attributes, as `红色简约碎花裙子`. */
export function productTitle({ type, attributes }: Product): string {
  const parts = TITLE_ORDER.flatMap(
    (name) => attributes.find((attribute) => attribute.name === name)?.value ?? [],
  )
  const title = parts.slice(0, MAX_TITLE_PARTS).join('')
  // 白色短裙, not 白色短裙裙子.
  return title.endsWith(type) ? title : title + nounsOf(type)[0]
}

/** The product as data: its attributes in the order of the list, styles as a list, and a title last. */
export function productJson(product: Product): ProductJson {
  const fields: Record<string, string | string[]> = { 类型: product.type }
  for (const { name, value } of product.attributes) {
    if (name === '风格') fields[name] = [...(fields[name] ?? []), value]
    else fields[name] = value
  }
  return { ...fields, 标题: productTitle(product) }
}
