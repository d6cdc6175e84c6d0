import { words } from '../grammar.js'
import type { Random } from '../random.js'
import type { Language } from './task.js'

/** A tool as it is described to the model. */
export interface ToolDescription {
  readonly name: string
  readonly description: string
  readonly parameters: {
    readonly type: 'object'
    readonly properties: Readonly<Record<string, { readonly description: string }>>
  }
}

interface ToolWords {
  readonly descriptions: Readonly<Record<Language, readonly string[]>>
  readonly properties: Readonly<Record<string, Readonly<Record<Language, string>>>>
}

export const TOOL_NAMES = ['get_weather', 'get_time', 'calculate', 'search_product', 'set_reminder'] as const
export type ToolName = (typeof TOOL_NAMES)[number]

const TOOLS: Readonly<Record<ToolName, ToolWords>> = {
  get_weather: {
    descriptions: {
      zh: ['查询天气', '查询城市的天气', '查询某个城市某天的天气'],
      en: ['Get the weather', 'Get the weather of a city', 'Weather of a city on a day'],
    },
    properties: { city: { zh: '城市', en: 'city' }, date: { zh: '日期', en: 'day' } },
  },
  get_time: {
    descriptions: {
      zh: ['查询时间', '查询城市的时间', '查询当地的时间'],
      en: ['Get the time', 'Get the time in a city', 'Local time of a city'],
    },
    properties: { city: { zh: '城市', en: 'city' } },
  },
  calculate: {
    descriptions: {
      zh: ['计算', '计算器', '计算一个算式'],
      en: ['Calculator', 'Calculate', 'Calculate an expression'],
    },
    properties: { expression: { zh: '算式', en: 'expression' } },
  },
  search_product: {
    descriptions: {
      zh: ['搜索商品', '查找商品', '在商店里找商品'],
      en: ['Search products', 'Find products', 'Find products in the shop'],
    },
    properties: { type: { zh: '类型', en: 'type' }, color: { zh: '颜色', en: 'color' } },
  },
  set_reminder: {
    descriptions: {
      zh: ['设置提醒', '添加提醒', '到时间提醒用户'],
      en: ['Set a reminder', 'Add a reminder', 'Remind the user'],
    },
    properties: { time: { zh: '时间', en: 'time' }, content: { zh: '内容', en: 'content' } },
  },
}

/** The description of a tool in one of its wordings. */
export function describeTool(random: Random, name: ToolName, language: Language): ToolDescription {
  const { descriptions, properties } = TOOLS[name]
  return {
    name,
    description: random.pick(descriptions[language]),
    parameters: {
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(properties).map(([property, text]) => [property, { description: text[language] }]),
      ),
    },
  }
}

export const CITIES: Readonly<Record<Language, readonly string[]>> = {
  zh: words(
    '北京 上海 广州 深圳 杭州 南京 成都 西安 武汉 重庆 天津 苏州 青岛 厦门 昆明 长沙 大连 济南 沈阳 郑州 福州 合肥 南昌 贵阳 兰州 海口 拉萨 香港 澳门 台北 东京 巴黎 伦敦 纽约 首尔 曼谷 罗马 柏林 悉尼 莫斯科',
  ),
  en: words(
    'Beijing Shanghai London Paris Berlin Rome Tokyo Madrid Oxford Cairo Ottawa Sydney Boston Chicago Vienna Dublin Lisbon Oslo Moscow Seoul Bangkok Hangzhou Shenzhen Guangzhou Nanjing Chengdu Toronto Munich Geneva Athens Prague Warsaw Milan Venice',
  ),
}

export const DATES: Readonly<Record<Language, readonly string[]>> = {
  zh: words('今天 明天 后天 星期一 星期二 星期三 星期四 星期五 星期六 星期天'),
  en: words('today tomorrow Monday Tuesday Wednesday Thursday Friday Saturday Sunday'),
}

export const WEATHERS: Readonly<Record<Language, readonly string[]>> = {
  zh: words('晴 多云 阴 小雨 中雨 大雨 小雪 大雪 有雾 有雷阵雨'),
  en: words('sunny cloudy rainy snowy foggy windy stormy'),
}

export const PRODUCT_TYPES: Readonly<Record<Language, readonly string[]>> = {
  zh: words('裙子 上衣 裤子 外套 鞋子 包包 帽子 毛衣 衬衫 围巾 手套 袜子'),
  en: words('dress shirt skirt coat hat bag sweater scarf jacket'),
}

export const PRODUCT_COLORS: Readonly<Record<Language, readonly string[]>> = {
  zh: words('红色 白色 黑色 蓝色 绿色 黄色 粉色 紫色 灰色 棕色 米色'),
  en: words('red white black blue green yellow pink purple gray brown'),
}

export const REMINDERS: Readonly<Record<Language, readonly string[]>> = {
  zh: words(
    '开会 吃药 起床 买菜 浇花 喝水 运动 做作业 接孩子 给妈妈打电话 交作业 倒垃圾 练琴 遛狗 取快递 洗衣服',
  ),
  en: [
    'call mother',
    'take medicine',
    'buy milk',
    'water the plants',
    'go running',
    'do homework',
    'feed the cat',
    'walk the dog',
    'clean the room',
    'join the meeting',
    'pay the rent',
    'read a book',
  ],
}
