import { type Product, TYPE_NAMES } from '../corpus/attributes.js'
import { table, words } from '../grammar.js'
import type { Random } from '../random.js'

/** The last three characters of lines that rhyme, by their rhyme. */
const RHYMES: readonly (readonly string[])[] = [
  words(
    '映春光 满庭芳 伴花香 韵悠长 舞霓裳 沐朝阳 似月光 好时光 韵味长 诗一行 照红妆 绕回廊 入画廊 映斜阳 溢清香',
  ),
  words(
    '醉春风 映晴空 意无穷 乐融融 画图中 伴飞鸿 映山红 小桥东 月明中 笑谈中 两心同 花影重 雨蒙蒙 舞长空 梦相逢',
  ),
  words(
    '似云烟 舞翩翩 美若仙 自天然 意绵绵 月儿圆 映眼前 到江边 伴流年 过山川 在人间 柳如烟 花满肩 水中莲 好少年',
  ),
  words(
    '满园春 最动人 净无尘 意更真 月一轮 伴佳人 似白云 水边村 步轻匀 情意真 柳色新 日日新 暖人心 伴知音 洗轻尘',
  ),
  words(
    '倚高楼 水自流 意悠悠 解千愁 上兰舟 满枝头 几分柔 月如钩 过清秋 立船头 看沙鸥 伴春游 入明眸 好温柔 在心头',
  ),
]

/** The last three characters of the third line, which does not rhyme. */
const UNRHYMED = words('随身走 人人爱 添喜气 风吹过 轻轻摆 细细看 天天见 迎远客 真好看 随风起')

/** The four characters that begin the first line, by type. */
const FIRST: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  table(`
    裙|长裙一袭 罗裙轻摆 裙裾飘飘 新裙一件
    上衣|新衣一件 轻衣一件 上衣新裁 春衫新试
    裤|新裤一条 轻装出行 长路轻行 裤装一身
    外套|外套披身 新装在身 一件外衣 寒来添衣
    鞋|新鞋一双 步履轻轻 足下生风 轻步前行
    包|小包随行 一包在手 包中日月 轻包在肩
    帽|小帽轻戴 帽影轻轻 一顶新帽 戴帽出门
  `).map(([type, heads]) => [type, words(heads)]),
)

/** The four characters about an attribute, where they are more than the two or three characters of its value. */
const OWN_WORDS: Readonly<Record<string, string>> = Object.fromEntries(
  table(`
    简约|简约线条
    休闲|休闲自在
    复古|复古情怀
    清新|清新淡雅
    优雅|优雅大方
    甜美|甜美笑容
    街头|街头漫步
    通勤|通勤路上
    文艺|文艺气息
    运动|运动身姿
    可爱|可爱模样
    英伦|英伦风度
    淑女|淑女情怀
    学院|学院年华
    中国风|中国风韵
    民族风|民族风情
    度假|度假时光
    碎花|碎花朵朵
    条纹|条纹道道
    格子|格子方方
    波点|波点圆圆
    印花|印花片片
    刺绣|刺绣精工
    纯色|纯色一身
    字母|字母几行
    卡通|卡通图样
    植物|植物青青
    几何|几何线条
    拼色|拼色巧思
    V领|领口如字
    A字|裙摆如伞
  `),
)

/** A value in four characters. */
function head(value: string): string {
  const own = OWN_WORDS[value]
  if (own) return own
  const fillers: Readonly<Record<number, string>> = { 1: '衣轻轻', 2: '巧妆', 3: '美', 4: '' }
  return value + fillers[[...value].length]
}

export const POEM_LINES = 4
export const POEM_LINE_LENGTH = 7

/**
 * Four lines of seven characters about a product: the first about its type, the others about its first three
 * attributes. The first, second and fourth line rhyme, with the rhyme that the type has.
 */
export function productPoem(random: Random, { type, attributes }: Product): string {
  const rhyme = RHYMES[TYPE_NAMES.indexOf(type) % RHYMES.length]
  const [first, second, fourth] = random.sample(rhyme, 3)
  const heads = attributes.slice(0, POEM_LINES - 1).map(({ value }) => head(value))
  while (heads.length < POEM_LINES - 1) heads.push('清风明月')
  return [
    `${random.pick(FIRST[type])}${first}，`,
    `${heads[0]}${second}。`,
    `${heads[1]}${random.pick(UNRHYMED)}，`,
    `${heads[2]}${fourth}。`,
  ].join('\n')
}
