import { words } from '../grammar.js'
import type { Random } from '../random.js'
import type { Language } from './task.js'

const SURNAMES = [...'王李张刘陈杨赵黄周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹']
const GIVEN = [
  ...'伟娜敏静磊洋杰丽强军芳娟勇艳霞平刚辉玲飞鹏宇婷雪梅龙华明文佳欣怡晨雨阳涛浩悦思琪瑶天乐子涵梓轩诗若安宁',
]
const PET = [
  ...'竹云星鹿雪海风叶石梅兰松溪月夏秋春冬花草米豆桃杏梨果糖饼团圆乐喜福宝贝暖晴雨虹光明亮青白蓝黑灰鱼鸟虎龙马羊猴鸡猫狗兔熊鹅',
]
const ENGLISH = words(`
  Ada Anna Alice Bella Ben Bob Carl Clara Coco Dan Dora Ella Emma Eva Finn Frank Gina Grace Hugo Ida Iris Jack Jane Jim
  John Julia Kate Kiki Leo Lily Lucy Mary Max Mia Milo Nina Nora Oscar Otto Paul Peter Pip Rosie Ruby Sam Sara Sunny Toby
  Tom Vera Willow Zoe Momo Felix Olive Henry Lena Nick Amy Betty
`)

/** What people are called. Of Chinese names there are thousands, so that a model must copy them. */
export function personName(random: Random, language: Language): string {
  if (language === 'en') return random.pick(ENGLISH)
  if (random.chance(0.25)) return `小${random.pick(GIVEN)}`
  const given = random.pick(GIVEN) + (random.chance(0.5) ? random.pick(GIVEN) : '')
  return random.pick(SURNAMES) + given
}

/** What a helper is called: 小竹, 阿福, 豆豆. */
export function helperName(random: Random, language: Language): string {
  if (language === 'en') return random.pick(ENGLISH)
  const character = random.pick(PET)
  return random.weighted([
    [`小${character}`, 5],
    [`阿${character}`, 1],
    [character + character, 3],
    [character + random.pick(PET), 2],
  ])
}
