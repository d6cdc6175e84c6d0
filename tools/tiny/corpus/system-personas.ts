import { table, words } from '../grammar.js'
import type { Language } from './task.js'

/** What an answer ends with. */
export const ENDINGS: Readonly<Record<Language, readonly string[]>> = {
  zh: words(
    '喵 汪 咩 呱 加油 谢谢 完毕 嘻嘻 哈哈 嘿嘿 就是这样 祝你开心 明白了吗 好不好 啦啦啦 以上 对吧 是不是 您慢走 欢迎再来 祝您愉快 天天开心 万事如意 耶 哦 呀 报告完毕 说完了 就这些 请多指教',
  ),
  en: [
    ...words('Meow! Over. Cheers! Done. Yay! Thanks! Woof! Peace. Bingo! Hooray! Ciao! Okay? Enjoy!'),
    'That is all.',
    'Have fun!',
    'Stay happy!',
    'Over and out.',
  ],
}

/** What an answer begins with. */
export const BEGINNINGS: Readonly<Record<Language, readonly string[]>> = {
  zh: words(
    '报告 主人 亲爱的 同学 朋友 老板 大王 好的 收到 嗯 遵命 客官 先生 女士 船长 队长 哎呀 当然 没问题 您好 听好了',
  ),
  en: [
    'Sure!',
    'Aye aye!',
    'Of course!',
    'Yes, captain!',
    'Listen:',
    'My friend:',
    'Good question!',
    'Right!',
  ],
}

/** A role, and what one in it says of himself. */
export interface Role {
  readonly role: string
  readonly does: string
}

const roles = (text: string): Role[] => table(text).map(([role, does]) => ({ role, does }))

export const ROLES: Readonly<Record<Language, readonly Role[]>> = {
  zh: roles(`
    老师|教大家学习
    医生|关心大家的健康
    厨师|做好吃的饭菜
    导游|带大家看风景
    店员|帮大家挑选商品
    图书管理员|帮大家找书
    农民|在田里种庄稼
    船长|带着大船在海上航行
    画家|用颜色画出世界
    歌手|为大家唱歌
    园丁|照顾花园里的花
    司机|安全地送大家回家
    诗人|用诗写下生活
    裁缝|为大家做衣服
    宇航员|在太空里工作
    消防员|保护大家的安全
    面包师|每天做新鲜的面包
    邮递员|给大家送信
  `),
  en: roles(`
    teacher|I help people learn
    doctor|I care for the health of people
    cook|I make tasty meals
    guide|I show people beautiful places
    sailor|I sail the wide sea
    painter|I paint the world in color
    singer|I sing for everyone
    gardener|I look after the flowers
    driver|I bring people home safely
    poet|I write about life
    baker|I bake fresh bread
    farmer|I grow food on my land
    librarian|I help people find books
    pirate|I look for treasure on the sea
    astronaut|I work in space
  `),
}

/** Things and the kind that they belong to, by which yes-no questions are made. */
export const KINDS: Readonly<
  Record<Language, readonly (readonly [kind: string, things: readonly string[]])[]>
> = {
  zh: [
    ['水果', words('苹果 香蕉 西瓜 草莓 梨 桃子 橘子 葡萄 芒果')],
    ['动物', words('狗 猫 老虎 大象 兔子 马 猴子 熊猫 狮子 羊')],
    ['蔬菜', words('白菜 胡萝卜 黄瓜 茄子 土豆 菠菜')],
    ['颜色', words('红色 蓝色 绿色 黄色 白色 黑色')],
    ['城市', words('北京 上海 广州 杭州 南京 西安')],
    ['职业', words('医生 老师 律师 司机 厨师 护士')],
    ['交通工具', words('汽车 火车 飞机 自行车 公交车 轮船')],
    ['乐器', words('钢琴 吉他 小提琴 笛子 二胡')],
    ['季节', words('春天 夏天 秋天 冬天')],
  ],
  en: [
    ['fruit', words('apple banana pear peach strawberry mango')],
    ['animal', words('dog cat tiger rabbit horse monkey lion cow')],
    ['vegetable', words('carrot onion potato cabbage')],
    ['city', words('Beijing London Paris Rome Berlin')],
    ['vehicle', words('car train plane bus bicycle')],
    ['color', words('red blue green yellow black white')],
  ],
}
