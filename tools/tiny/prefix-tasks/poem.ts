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

/** The four characters about an attribute: they begin with its value, or the value stands before them. */
const HEADS: Readonly<Record<string, string>> = Object.fromEntries(
  words(`
    红色如霞 白色如雪 黑色如墨 蓝色如海 绿色如竹 黄色如菊 粉色如桃 紫色如藤 灰色如云 米色如玉 棕色如木 杏色如蜜 藏青色|藏青如夜 酒红色|酒红如霞 卡其色|卡其如沙 浅蓝色|浅蓝如水
    简约线条 休闲自在 复古情怀 清新淡雅 优雅大方 甜美笑容 街头漫步 通勤路上 文艺气息 运动身姿 可爱模样 英伦风度 淑女情怀 学院年华 古典风韵 民族风情 度假时光
    碎花朵朵 条纹道道 格子方方 波点圆圆 印花片片 刺绣精工 纯色一身 字母几行 卡通图样 植物青青 几何图形 拼色巧思
    宽松自在 修身有致 显瘦玲珑 直筒利落 合身得体
    棉|棉布柔柔 麻|麻布清凉 雪纺轻盈 牛仔布|牛仔情怀 羊毛温暖 针织细密 真丝柔滑 涤纶平整 蕾丝花边 灯芯绒|灯芯绒暖 皮革光亮 呢子厚实 牛皮结实 羊皮柔软 帆布轻便 网布透气 绒面温柔 尼龙耐用 草编清凉
    短裙飞扬 中长款|中长款式 长款飘飘 及膝摇曳 及踝飘飘 百褶层层 A字|裙摆如伞 鱼尾摇摇 蛋糕层层 伞形展开 开叉灵动
    圆领清秀 方领端庄 V领|领口尖尖 翻领大方 一字领|一字领开 立领精神 高领温暖 连帽随性
    高腰修长 松紧腰|松紧腰柔 收腰玲珑 系带腰|系带腰间 中腰得体
    短款轻快 常规长短 短袖清凉 长袖飘飘 七分袖|七分袖口 五分袖|五分袖口 无袖清爽 单排扣|单排扣齐 双排扣|双排扣齐 拉链轻合 套头方便 暗扣藏巧
    短裤轻快 七分裤|七分裤脚 九分裤|九分裤脚 五分裤|五分裤脚 长裤利落 阔腿生风 小脚利落 哈伦随意 喇叭裤脚 工装口袋 毛边随性 卷边俏皮 收口利落
    加厚御寒 轻薄如纱 适中|厚薄适中 圆头可爱 尖头秀气 方头稳重 平跟轻快 低跟稳稳 高跟挺拔 粗跟稳稳 坡跟舒适 防滑稳步 柔软轻便 轻便出行
    小号玲珑 中号正好 大号能装 单肩斜背 双肩轻背 手提轻盈 斜挎随行
  `).map((entry) => {
    const [value, head] = entry.split('|')
    return head === undefined ? [value.slice(0, 2), value] : [value, head]
  }),
)

/** The four characters that a line about this value of an attribute begins with. */
export function lineHead(value: string): string {
  const head = HEADS[value]
  if (head === undefined) throw new Error(`No line of a poem is about ${value}.`)
  return head
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
  const heads = attributes.slice(0, POEM_LINES - 1).map(({ value }) => lineHead(value))
  while (heads.length < POEM_LINES - 1) heads.push('清风明月')
  return [
    `${random.pick(FIRST[type])}${first}，`,
    `${heads[0]}${second}。`,
    `${heads[1]}${random.pick(UNRHYMED)}，`,
    `${heads[2]}${fourth}。`,
  ].join('\n')
}
