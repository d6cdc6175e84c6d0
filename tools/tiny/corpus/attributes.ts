import { table, words } from '../grammar.js'
import type { Random } from '../random.js'

/** Something to wear and what can be said about it, as in `类型#裙*颜色#红色`. */
export interface Product {
  readonly type: string
  readonly attributes: readonly Attribute[]
}

export interface Attribute {
  readonly name: string
  readonly value: string
}

interface TypeOfProduct {
  /** How texts call it, whatever its attributes. */
  readonly nouns: readonly string[]
  readonly measure: string
  readonly attributes: readonly string[]
}

const typeOf = (nouns: string, measure: string, attributes: string): TypeOfProduct => ({
  nouns: words(nouns),
  measure,
  attributes: words(attributes),
})

const TYPES: Readonly<Record<string, TypeOfProduct>> = {
  裙: typeOf('裙子 连衣裙', '条', '版型 材质 颜色 风格 图案 裙长 裙型 裙领型 裙腰型'),
  上衣: typeOf('上衣', '件', '版型 材质 颜色 风格 图案 衣长 衣领型 衣袖长 衣门襟'),
  裤: typeOf('裤子', '条', '版型 材质 颜色 风格 图案 裤长 裤型 裤腰型 裤口'),
  外套: typeOf('外套', '件', '版型 材质 颜色 风格 图案 衣长 衣领型 衣门襟 厚薄'),
  鞋: typeOf('鞋子', '双', '材质 颜色 风格 图案 鞋头 鞋跟 鞋底'),
  包: typeOf('包包', '只', '材质 颜色 风格 图案 大小 背法'),
  帽: typeOf('帽子', '顶', '材质 颜色 风格 图案 厚薄'),
}
export const TYPE_NAMES = Object.keys(TYPES)

const CLOTHES = words('棉 麻 雪纺 牛仔布 羊毛 针织 真丝 涤纶 蕾丝')
const MATERIALS: Readonly<Record<string, readonly string[]>> = {
  裙: CLOTHES,
  上衣: CLOTHES,
  裤: words('棉 麻 牛仔布 针织 涤纶 灯芯绒'),
  外套: words('棉 羊毛 牛仔布 皮革 呢子 灯芯绒'),
  鞋: words('牛皮 羊皮 帆布 网布 绒面'),
  包: words('牛皮 羊皮 帆布 尼龙 草编'),
  帽: words('棉 羊毛 草编 针织 呢子'),
}

const VALUES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  table(`
    颜色|红色 白色 黑色 蓝色 绿色 黄色 粉色 紫色 灰色 米色 棕色 杏色 藏青色 酒红色 卡其色 浅蓝色
    风格|简约 休闲 复古 清新 优雅 甜美 街头 通勤 文艺 运动 可爱 英伦 淑女 学院 古典 民族 度假
    图案|碎花 条纹 格子 波点 印花 刺绣 纯色 字母 卡通 植物 几何 拼色
    版型|宽松 修身 显瘦 直筒 合身
    裙长|短裙 中长款 长款 及膝 及踝
    裙型|百褶 A字 鱼尾 蛋糕 伞形 开叉
    裙领型|圆领 方领 V领 翻领 一字领 立领
    裙腰型|高腰 松紧腰 收腰 系带腰
    衣长|短款 常规 中长款 长款
    衣领型|圆领 V领 翻领 立领 方领 高领 连帽
    衣袖长|短袖 长袖 七分袖 五分袖 无袖
    衣门襟|单排扣 双排扣 拉链 套头 暗扣
    裤长|短裤 七分裤 九分裤 长裤 五分裤
    裤型|阔腿 直筒 小脚 哈伦 喇叭 工装
    裤腰型|高腰 松紧腰 中腰 系带腰
    裤口|毛边 卷边 收口 开叉
    厚薄|加厚 轻薄 适中
    鞋头|圆头 尖头 方头
    鞋跟|平跟 低跟 高跟 粗跟 坡跟
    鞋底|防滑 柔软 加厚 轻便
    大小|小号 中号 大号
    背法|单肩 双肩 手提 斜挎
  `).map(([name, values]) => [name, words(values)]),
)

/** The names of all attributes but the type. */
export const ATTRIBUTE_NAMES = [...Object.keys(VALUES), '材质']

export function valuesOf(type: string, name: string): readonly string[] {
  return name === '材质' ? MATERIALS[type] : VALUES[name]
}

/** Three to six attributes, now and then two styles. */
export function randomProduct(random: Random): Product {
  const type = random.pick(TYPE_NAMES)
  const names = random.sample(TYPES[type].attributes, random.integer(2, 5))
  const attributes = names.flatMap((name) => {
    const count = name === '风格' && random.chance(0.25) ? 2 : 1
    return random.sample(valuesOf(type, name), count).map((value) => ({ name, value }))
  })
  return { type, attributes }
}

/** The list as AdvertiseGen writes it. */
export function attributeList({ type, attributes }: Product): string {
  return [`类型#${type}`, ...attributes.map(({ name, value }) => `${name}#${value}`)].join('*')
}

/** The values that a text about the product must mention. */
export function valuesToMention({ attributes }: Product): string[] {
  return attributes.map(({ value }) => value)
}

/** How a text may call something of the type. */
export function nounsOf(type: string): readonly string[] {
  return TYPES[type].nouns
}

/** The measure word of the type. */
export function measureOf(type: string): string {
  return TYPES[type].measure
}

/** The key of a list: the order of its attributes does not matter. */
export function productKey({ type, attributes }: Product): string {
  const parts = attributes.map(({ name, value }) => `${name}#${value}`).sort()
  return `copy:${type}*${parts.join('*')}`
}
