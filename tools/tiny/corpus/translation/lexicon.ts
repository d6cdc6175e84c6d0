import { table } from '../../grammar.js'

/** A noun that can be counted. */
export interface CountNoun {
  readonly zh: string
  /** The measure word between a number and it. */
  readonly measure: string
  readonly en: string
  readonly plural: string
}

/** A word or phrase that has one form in both languages. */
export interface Phrase {
  readonly zh: string
  readonly en: string
}

export interface Adjective extends Phrase {
  readonly comparative: string
}

/** The word with its article. No word here sounds other than it is spelled, as `hour` and `university` do. */
export function withArticle(word: string): string {
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`
}

/** The regular plural: `bus` buses, `city` cities. */
function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`
  return /(s|x|z|ch|sh)$/.test(word) ? `${word}es` : `${word}s`
}

function countNouns(text: string): CountNoun[] {
  return table(text).map(([zh, measure, en, plural]) => ({ zh, measure, en, plural: plural ?? pluralOf(en) }))
}

function phrases(text: string): Phrase[] {
  return table(text).map(([zh, en]) => ({ zh, en }))
}

export const FRUITS = countNouns(`
  苹果|个|apple
  梨|个|pear
  香蕉|根|banana
  橘子|个|orange
  桃子|个|peach
  柠檬|个|lemon
  草莓|颗|strawberry
  西瓜|个|watermelon
  芒果|个|mango
  鸡蛋|个|egg
  土豆|个|potato|potatoes
  西红柿|个|tomato|tomatoes
  胡萝卜|根|carrot
  洋葱|个|onion
  饺子|个|dumpling
  蛋糕|个|cake
  三明治|个|sandwich
  饼干|块|cookie
`)
export const FOODS = phrases(`
  米饭|rice
  面条|noodles
  面包|bread
  鱼|fish
  鸡肉|chicken
  牛肉|beef
  豆腐|tofu
  奶酪|cheese
  巧克力|chocolate
  冰淇淋|ice cream
  蔬菜|vegetables
  早饭|breakfast
  午饭|lunch
  晚饭|dinner
`)
export const DRINKS = phrases(`
  茶|tea
  绿茶|green tea
  咖啡|coffee
  牛奶|milk
  水|water
  热水|hot water
  果汁|juice
  苹果汁|apple juice
  橙汁|orange juice
  豆浆|soy milk
`)
export const READABLE = countNouns(`
  书|本|book
  小说|本|novel
  杂志|本|magazine
  报纸|份|newspaper
  故事|个|story
  诗|首|poem
`)
export const WRITABLE = countNouns(`
  信|封|letter
  故事|个|story
  诗|首|poem
  句子|个|sentence
  词|个|word
`)
export const GOODS = countNouns(`
  手机|部|phone
  电脑|台|computer
  钟|个|clock
  灯|盏|lamp
  椅子|把|chair
  桌子|张|table
  床|张|bed
  杯子|个|cup
  碗|个|bowl
  盘子|个|plate
  勺子|把|spoon
  刀|把|knife|knives
  瓶子|个|bottle
  盒子|个|box
  包|个|bag
  帽子|顶|hat
  衬衫|件|shirt
  外套|件|coat
  毛衣|件|sweater
  裙子|条|skirt
  围巾|条|scarf|scarves
  雨伞|把|umbrella
  铅笔|支|pencil
  钢笔|支|pen
  本子|个|notebook
  词典|本|dictionary
  地图|张|map
  照片|张|photo
  票|张|ticket
  邮票|张|stamp
  礼物|件|gift
  玩具|个|toy
  球|个|ball
  风筝|只|kite
  吉他|把|guitar
  钥匙|把|key
  镜子|面|mirror
  自行车|辆|bicycle
  汽车|辆|car
`)
/** Goods that break and can be made whole. */
export const MACHINES = GOODS.filter(({ zh }) =>
  /手机|电脑|钟|灯|椅子|桌子|床|玩具|雨伞|吉他|自行车|汽车/.test(zh),
)
/** Goods that get dirty. */
export const WASHABLE = GOODS.filter(({ zh }) =>
  /杯子|碗|盘子|勺子|瓶子|帽子|衬衫|外套|毛衣|裙子|围巾|汽车/.test(zh),
)
/** Animals that live with people. */
export const PETS = countNouns(`
  猫|只|cat
  狗|只|dog
  鸟|只|bird
  兔子|只|rabbit
  鸭子|只|duck
  鸡|只|chicken
  乌龟|只|turtle
`)
const WILD_ANIMALS = countNouns(`
  羊|只|sheep|sheep
  猪|头|pig
  牛|头|cow
  马|匹|horse
  老虎|只|tiger
  狮子|头|lion
  大象|头|elephant
  熊|只|bear
  猴子|只|monkey
  熊猫|只|panda
  狐狸|只|fox
  狼|只|wolf|wolves
  老鼠|只|mouse|mice
  青蛙|只|frog
  蝴蝶|只|butterfly
  蜜蜂|只|bee
`)
export const ANIMALS = [...PETS, ...WILD_ANIMALS]
export const NATURE = countNouns(`
  花|朵|flower
  树|棵|tree
  山|座|mountain
  湖|个|lake
  河|条|river
  岛|座|island
  房子|座|house
  桥|座|bridge
  城市|座|city
  村子|个|village
  花园|座|garden
  房间|个|room
  公园|座|park
`)
export const PEOPLE = countNouns(`
  老师|位|teacher
  医生|位|doctor
  护士|位|nurse
  学生|名|student
  工人|名|worker
  农民|位|farmer
  司机|位|driver
  厨师|位|cook
  警察|名|police officer
  画家|位|painter
  歌手|位|singer
  作家|位|writer
  律师|位|lawyer
  工程师|位|engineer
  科学家|位|scientist
  演员|名|actor
  服务员|名|waiter
`)
export const FAMILY = phrases(`
  妈妈|mother
  爸爸|father
  儿子|son
  女儿|daughter
  丈夫|husband
  妻子|wife
  朋友|friend
  老师|teacher
  同学|classmate
  邻居|neighbor
  奶奶|grandmother
  爷爷|grandfather
`)
/** Places nearby, and how one gets there. */
export const PLACES = phrases(`
  公园|the park
  学校|school
  医院|the hospital
  图书馆|the library
  超市|the supermarket
  银行|the bank
  邮局|the post office
  书店|the bookstore
  饭店|the restaurant
  电影院|the cinema
  博物馆|the museum
  动物园|the zoo
  火车站|the train station
  机场|the airport
  海边|the seaside
  办公室|the office
  市场|the market
  体育馆|the gym
  药店|the pharmacy
  咖啡馆|the coffee shop
`)
export const TRANSPORT = phrases(`
  坐公交车|by bus
  坐地铁|by subway
  坐出租车|by taxi
  骑自行车|by bicycle
`)
/** Cities and countries, and how one gets there. */
export const FAR_PLACES = phrases(`
  北京|Beijing
  上海|Shanghai
  广州|Guangzhou
  杭州|Hangzhou
  西安|Xi'an
  成都|Chengdu
  南京|Nanjing
  伦敦|London
  巴黎|Paris
  东京|Tokyo
  纽约|New York
  中国|China
  英国|England
  法国|France
  日本|Japan
`)
export const FAR_TRANSPORT = phrases(`
  坐火车|by train
  坐飞机|by plane
  坐船|by boat
`)
/** Places where something lies or is. */
export const SPOTS = phrases(`
  桌子上|on the table
  桌子下面|under the table
  床上|on the bed
  床下面|under the bed
  椅子上|on the chair
  盒子里|in the box
  包里|in the bag
  房间里|in the room
  厨房里|in the kitchen
  花园里|in the garden
  冰箱里|in the fridge
  门旁边|next to the door
  窗户旁边|next to the window
  门后面|behind the door
  房子前面|in front of the house
  树下面|under the tree
  树后面|behind the tree
  汽车里|in the car
  河边|by the river
  湖边|by the lake
`)
export const COLOURS = phrases(`
  红色|red
  蓝色|blue
  绿色|green
  黄色|yellow
  白色|white
  黑色|black
  灰色|gray
  粉色|pink
  紫色|purple
  棕色|brown
  橙色|orange
`)

function adjectives(text: string): Adjective[] {
  return table(text).map(([zh, en, comparative]) => ({ zh, en, comparative }))
}

/** What things are. */
export const THING_ADJECTIVES = adjectives(`
  大|big|bigger
  小|small|smaller
  新|new|newer
  旧|old|older
  贵|expensive|more expensive
  便宜|cheap|cheaper
  漂亮|beautiful|more beautiful
  干净|clean|cleaner
  重|heavy|heavier
  轻|light|lighter
  有用|useful|more useful
  有趣|interesting|more interesting
  好|good|better
`)
/** What people are. */
export const PERSON_ADJECTIVES = adjectives(`
  高兴|happy|happier
  忙|busy|busier
  累|tired|more tired
  高|tall|taller
  年轻|young|younger
  聪明|clever|cleverer
  友好|friendly|friendlier
  安静|quiet|quieter
  勇敢|brave|braver
  饿|hungry|hungrier
  渴|thirsty|thirstier
  健康|healthy|healthier
  有名|famous|more famous
  强壮|strong|stronger
  害羞|shy|shyer
  努力|hardworking|more hardworking
  诚实|honest|more honest
  难过|sad|sadder
`)
export const ANIMAL_ADJECTIVES = adjectives(`
  大|big|bigger
  小|small|smaller
  快|fast|faster
  慢|slow|slower
  可爱|cute|cuter
  聪明|clever|cleverer
  强壮|strong|stronger
  危险|dangerous|more dangerous
  安静|quiet|quieter
`)
export const WEATHER = phrases(`
  热|hot
  冷|cold
  凉快|cool
  暖和|warm
  好|good
`)
export const NUMBERS: readonly Phrase[] = phrases(`
  两|two
  三|three
  四|four
  五|five
  六|six
  七|seven
  八|eight
  九|nine
  十|ten
`)
