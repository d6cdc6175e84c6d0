import { nounsOf, type Product } from '../corpus/attributes.js'

/** What a title may be made of, in this order. */
const TITLE_ORDER = [
  '颜色',
  '风格',
  '材质',
  '图案',
  '版型',
  '裙长',
  '衣长',
  '裤长',
  '裤型',
  '裙型',
  '大小',
  '厚薄',
  '鞋跟',
]
const MAX_TITLE_PARTS = 4

export type ProductJson = Readonly<Record<string, string | readonly string[]>>

/** A short name of the product out of its first attributes, as `红色简约碎花裙子`. */
export function productTitle({ type, attributes }: Product): string {
  const parts = TITLE_ORDER.flatMap(
    (name) => attributes.find((attribute) => attribute.name === name)?.value ?? [],
  )
  return parts.slice(0, MAX_TITLE_PARTS).join('') + nounsOf(type)[0]
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
