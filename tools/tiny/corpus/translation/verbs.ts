import { table } from '../../grammar.js'
import type { Phrase } from './lexicon.js'

/** The forms of a verb. */
export interface Verb {
  readonly zh: string
  readonly base: string
  /** With he and she. */
  readonly third: string
  readonly past: string
  readonly ing: string
}

function verb([zh, base, third, past, ing]: readonly string[]): Verb {
  return { zh, base, third, past, ing }
}

const byName = (text: string) => Object.fromEntries(table(text).map((row) => [row[1], verb(row)]))

/** Verbs that take an object, by their English name. */
export const VERBS = byName(`
  吃|eat|eats|ate|eating
  喝|drink|drinks|drank|drinking
  看|read|reads|read|reading
  写|write|writes|wrote|writing
  买|buy|buys|bought|buying
  卖|sell|sells|sold|selling
  洗|wash|washes|washed|washing
  找|look for|looks for|looked for|looking for
  画|draw|draws|drew|drawing
  做|make|makes|made|making
  用|use|uses|used|using
  修|repair|repairs|repaired|repairing
  学|learn|learns|learned|learning
  教|teach|teaches|taught|teaching
  去|go|goes|went|going
  帮助|help|helps|helped|helping
  等|wait for|waits for|waited for|waiting for
`)

/** Verbs with their object, which say what someone does as a whole. */
export const ACTIVITIES = table(`
  唱歌|sing|sings|sang|singing
  跳舞|dance|dances|danced|dancing
  跑步|run|runs|ran|running
  游泳|swim|swims|swam|swimming
  睡觉|sleep|sleeps|slept|sleeping
  做饭|cook|cooks|cooked|cooking
  工作|work|works|worked|working
  学习|study|studies|studied|studying
  休息|rest|rests|rested|resting
  看电视|watch TV|watches TV|watched TV|watching TV
  听音乐|listen to music|listens to music|listened to music|listening to music
  打篮球|play basketball|plays basketball|played basketball|playing basketball
  踢足球|play football|plays football|played football|playing football
  打网球|play tennis|plays tennis|played tennis|playing tennis
  下棋|play chess|plays chess|played chess|playing chess
  弹钢琴|play the piano|plays the piano|played the piano|playing the piano
  弹吉他|play the guitar|plays the guitar|played the guitar|playing the guitar
  做作业|do homework|does homework|did homework|doing homework
  打扫房间|clean the room|cleans the room|cleaned the room|cleaning the room
  洗碗|wash the dishes|washes the dishes|washed the dishes|washing the dishes
  拍照|take photos|takes photos|took photos|taking photos
  散步|take a walk|takes a walk|took a walk|taking a walk
  骑马|ride a horse|rides a horse|rode a horse|riding a horse
  爬山|climb mountains|climbs mountains|climbed mountains|climbing mountains
  钓鱼|go fishing|goes fishing|went fishing|going fishing
  购物|go shopping|goes shopping|went shopping|going shopping
  画画|paint|paints|painted|painting
`).map(verb)

/** What is learned and taught. */
export const SUBJECTS: readonly Phrase[] = table(`
  英语|English
  汉语|Chinese
  法语|French
  日语|Japanese
  数学|math
  历史|history
  音乐|music
  物理|physics
  化学|chemistry
`).map(([zh, en]) => ({ zh, en }))

/** Whoever does something. */
export interface Subject extends Phrase {
  readonly possessive: Phrase
  readonly be: string
  readonly was: string
  /** Whether the verb takes the form of he and she. */
  readonly isThird: boolean
}

export const SUBJECTS_OF_SENTENCES: readonly Subject[] = table(`
  我|I|我的|my|am|was
  你|you|你的|your|are|were
  他|he|他的|his|is|was
  她|she|她的|her|is|was
  我们|we|我们的|our|are|were
  他们|they|他们的|their|are|were
`).map(([zh, en, ownZh, ownEn, be, was]) => ({
  zh,
  en,
  possessive: { zh: ownZh, en: ownEn },
  be,
  was,
  isThird: be === 'is',
}))

/** When it happens: a tense with its words. */
export type Tense = 'habit' | 'past' | 'future'

const times = (text: string): Phrase[] => table(text).map(([zh, en]) => ({ zh, en }))

export const TIMES: Readonly<Record<Tense, readonly Phrase[]>> = {
  habit: times(`
    每天|every day
    每天早上|every morning
    每天晚上|every evening
    每个周末|every weekend
    每个星期天|every Sunday
    每个星期一|every Monday
    每个星期六|every Saturday
    每年夏天|every summer
  `),
  past: times(`
    昨天|yesterday
    昨天早上|yesterday morning
    昨天下午|yesterday afternoon
    昨天晚上|last night
    上个星期|last week
    上个月|last month
    去年|last year
    上个周末|last weekend
  `),
  future: times(`
    明天|tomorrow
    明天早上|tomorrow morning
    明天下午|tomorrow afternoon
    明天晚上|tomorrow evening
    下个星期|next week
    下个月|next month
    明年|next year
    这个周末|this weekend
  `),
}
