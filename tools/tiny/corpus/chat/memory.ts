import { expand, lines, words } from '../../grammar.js'
import type { Random } from '../../random.js'
import { personName } from '../names.js'
import type { Exchange, Language } from '../task.js'

/** Something that the user tells and asks for later: two exchanges with the same slot v. */
interface Memory {
  readonly value: (random: Random) => string
  readonly tell: readonly string[]
  readonly reply: readonly string[]
  readonly ask: readonly string[]
  readonly recall: string
}

function oneOf(list: string): (random: Random) => string {
  const values = words(list)
  return (random) => random.pick(values)
}

const MEMORIES: Readonly<Record<Language, readonly Memory[]>> = {
  zh: [
    {
      value: (random) => personName(random, 'zh'),
      tell: lines(`
        (你好，|你好！|)(我叫|我的名字是|我是|我的名字叫){v}(。|，很高兴认识你。|！)
      `),
      reply: lines(`
        你好，{v}！(很高兴认识你。|认识你真高兴。)
      `),
      ask: lines(`
        (你还记得|你知道|还记得)我叫什么(名字|)吗？
        (那|)我叫什么(名字|)？
        我(的名字是什么|是谁)？
      `),
      recall: '你叫{v}。',
    },
    {
      value: oneOf(
        '苹果 香蕉 梨 桃子 芒果 葡萄 鸡蛋 蛋糕 冰淇淋 巧克力 饼干 包子 火锅 豆浆 果汁 排球 网球 滑冰 爬山 钓鱼 旅行 写字 听音乐 看电影 弹钢琴 拍照 做饭 种花 鱼 鸟 马 大象 春天 夏天 秋天 冬天 红色 蓝色 绿色 数学 历史 英语 西瓜 草莓 面条 饺子 米饭 豆腐 红茶 绿茶 咖啡 牛奶 篮球 足球 游泳 跑步 画画 唱歌 跳舞 读书 下棋 猫 狗 兔子 熊猫',
      ),
      tell: lines(`
        我(很|最|特别|)喜欢{v}(。|！|，你记住了吗？)
      `),
      reply: lines(`
        (好的|知道了)，我记住了，你喜欢{v}。
        {v}很(不错|好)啊，我记住了。
      `),
      ask: lines(`
        (你还记得|你知道|还记得)我喜欢什么吗？
        (那|)我(喜欢什么|说过我喜欢什么|刚才说喜欢什么)？
      `),
      recall: '你喜欢{v}。',
    },
    {
      value: oneOf(
        '重庆 济南 沈阳 郑州 福州 合肥 南昌 贵阳 兰州 海口 拉萨 大连 宁波 北京 上海 广州 深圳 杭州 南京 成都 西安 武汉 天津 苏州 青岛 厦门 昆明 长沙',
      ),
      tell: lines(`
        我(住在|家在|现在住在){v}(。|，你知道吗？)
      `),
      reply: lines(`
        (原来|啊，)你住在{v}，(真不错|好地方)！
      `),
      ask: lines(`
        (你还记得|你知道|还记得)我住在哪里吗？
        (那|)我(住在哪里|家在哪里|住在哪个城市)？
      `),
      recall: '你住在{v}。',
    },
  ],
  en: [
    {
      value: (random) => personName(random, 'en'),
      tell: lines(`
        (Hello, |Hi! |)(my name is|I am|I'm) {v}(.|, nice to meet you.|!)
      `),
      reply: lines(`
        Hello {v}! (Nice to meet you.|I am glad to meet you.)
      `),
      ask: lines(`
        (What is my name|What's my name|Do you remember my name|Do you know my name|Who am I)?
      `),
      recall: 'Your name is {v}.',
    },
    {
      value: oneOf(
        'pears cakes bread cheese fish horses birds tennis dancing singing cooking history math red blue summer winter apples bananas tea coffee milk noodles rice cats dogs rabbits football basketball music books chess swimming running painting',
      ),
      tell: lines(`
        I (really |)(like|love) {v}(.|!| very much.)
      `),
      reply: lines(`
        (I see|Good|All right), you like {v}. I will remember that.
      `),
      ask: lines(`
        (What do I like|Do you remember what I like|Do you know what I like|What did I say that I like)?
      `),
      recall: 'You like {v}.',
    },
    {
      value: oneOf('Beijing Shanghai London Paris Berlin Rome Tokyo Madrid Oxford Cairo Ottawa'),
      tell: lines(`
        I (live in|now live in|am living in) {v}.
      `),
      reply: lines(`
        Oh, {v} is a (nice|beautiful|great) place!
      `),
      ask: lines(`
        (Where do I live|Do you remember where I live|Do you know where I live|Which city do I live in)?
      `),
      recall: 'You live in {v}.',
    },
  ],
}

/** What a user tells about himself, and the question for it. */
export function memoryExchanges(random: Random, language: Language): [tell: Exchange, ask: Exchange] {
  const memory = random.pick(MEMORIES[language])
  const slots = { v: memory.value(random) }
  const from = (templates: readonly string[]) => expand(random.pick(templates), random, slots)
  const tell = from(memory.tell)
  const ask = from(memory.ask)
  const recall = expand(memory.recall, random, slots)
  return [
    {
      question: tell[0].toUpperCase() + tell.slice(1),
      answer: from(memory.reply),
      key: undefined,
      expectation: { kind: 'open' },
    },
    // What is asked is said in few ways; new is what it is about.
    {
      question: ask,
      answer: recall,
      key: `chat:${slots.v} ${ask}`,
      expectation: { kind: 'answer', text: recall },
    },
  ]
}
