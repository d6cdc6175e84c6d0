/** Talk about everyday matters. The form is that of `topics.ts`. */
export const EVERYDAY_TOPICS = `
# what weather
zh? (今天|明天|外面|这里|现在)(天气怎么样|天气如何|会下雨吗|冷不冷|热不热|是什么天气)(？|?|)
zh= 我看不到窗外，也不上网，(所以不知道天气|不知道天气怎么样)。(有了查询天气的工具，我可以查。|你那里天气好吗？)
en? (What is|What's) the weather like( today| outside| now|)(?|)
en? (How is the weather|Will it rain|Is it cold|Is it warm)( today| outside| now)(?|)
en= I have no window and no internet, so I cannot see the weather. With a tool I could look it up.

# nice weather
zh? (今天|这里今天|外面)(天气真好|阳光真好|太阳真好|是个大晴天|不冷也不热)(！|啊！|。|，你说呢？)
zh= (真好|太好了)！(这样的天气很适合|可以)出去(散步|走走|玩)，(别忘了多喝水|记得防晒)。
en? (The weather is|It is) (so nice|lovely|wonderful|beautiful) (today|outside)(!|.)
en= How nice! It is a good day for a walk.

# rain
zh? (今天|外面|这里)(下雨了|在下雨|下大雨了|一直下雨)(。|，怎么办？|，出不了门。|！)
zh= 下雨天(出门记得带伞|路上要小心)，(也可以|或者)在家(看看书|听听音乐|喝杯热茶)。
en? (It is raining|It rains a lot|It has rained all day) (today|here|outside)(.|!|, what can I do?)
en= Take an umbrella with you, or stay at home and read a book.

# hot
zh? (今天|天气|外面)(太热了|好热|热死了|真热)(！|。|啊！|，怎么办？)
zh= 天热要多喝水，(中午少出门|尽量待在凉快的地方)，(吃点西瓜也不错|衣服穿薄一点)。
en? (It is|Today it is) (too|so|very|really) hot( today| outside|)(.|!)
en= Drink a lot of water and stay in a cool place around noon.

# cold
zh? (今天|天气|外面)(太冷了|好冷|冷死了|真冷)(！|。|啊！|，怎么办？)
zh= 天冷要多穿衣服，(喝点热水|吃点热的东西)，小心(感冒|着凉)。
en? (It is|Today it is) (too|so|very|really) cold( today| outside|)(.|!)
en= Put on warm clothes, drink something hot and take care.

# snow
zh? (外面|今天|这里)(下雪了|下大雪了|在下雪)(！|。|，真漂亮！)
zh= 下雪真美！(可以堆雪人、打雪仗|可以去堆个雪人)，(路滑，走路要小心|出门穿暖和一点)。
en? It is snowing( today| outside| here|)(!|.)
en= How beautiful! You can build a snowman, but be careful on the road.

# sleep
zh? (我|晚上|最近)(睡不着|总是睡不好|失眠了|睡不好觉)(怎么办|该怎么办|)(？|。)
zh? (怎样|怎么|如何)(才能|)(睡得更好|睡个好觉|快点睡着|提高睡眠质量)(？|?)
zh= 睡前(少看手机|不要看手机)，(喝一杯热牛奶|泡泡脚|听点轻音乐)，每天按时(上床|睡觉和起床)，会好一些。
en? (I cannot sleep|I can't sleep|I sleep badly)( at night|)(.|, what should I do?)
en? How (can|do) I (sleep better|fall asleep|sleep well)?
en= Put the phone away before bed, drink some warm milk, and go to bed at the same time every day.

# tired
zh? (我|今天)(好累|太累了|很累|累坏了|有点累)(。|啊。|，怎么办？)
zh= (辛苦了|你辛苦了)！(休息一会儿|早点休息|先歇一歇)，(喝杯水|听听音乐|好好睡一觉)吧。
en? I am( so| very| really| a bit|) tired( today| now|)(.|!)
en= You have done a lot. Take a break, drink some water and go to bed early.

# happy
zh? (我|今天我)(很|好|特别|非常)(高兴|开心|快乐)(！|。|，猜猜为什么？)
zh= 太好了！(看到你开心，我也高兴。|有什么好事吗？|和我说说吧！)
en? I am( so| very| really|) (happy|glad)( today| now|)(!|.)
en= That is wonderful! What made you so happy?

# sad
zh? (我|今天我)(很|好|有点|特别)(难过|不开心|伤心|郁闷|心情不好)(。|，怎么办？)
zh= 别难过，(和朋友聊聊|出去走走|听听喜欢的音乐)，(心情会慢慢好起来|明天会更好)。(我在这里听你说。|)
en? I (am|feel)( so| very| a bit| really|) (sad|unhappy|down)( today|)(.|, what can I do?)
en= I am sorry to hear that. Talk to a friend, take a walk, and it will get better.

# angry
zh? (我|我现在)(很生气|气死了|好生气|有点生气)(！|。)
zh= 先(深呼吸|慢慢呼吸)几次，(喝口水|走一走)，等(平静下来|心情平静了)再说。
en? I am( so| very| really|) angry( now| today|)(!|.)
en= Breathe slowly a few times and take a short walk. Then things look better.

# bored
zh? (我|今天)(好无聊|很无聊|没事做|不知道做什么)(。|，怎么办？|，有什么建议？)
zh= 可以(看一本书|听听音乐|画一幅画|学做一道菜|给朋友打个电话)，也可以(出去走走|和我做算术题)。
en? I am (so |very |)bored(.|, what can I do?|, any ideas?)
en= You could read a book, draw a picture, call a friend or take a walk.

# nervous
zh? (明天|下周|后天)(要考试|要面试|要演讲|有比赛)，我(很|好|有点)(紧张|害怕|担心)(。|，怎么办？)
zh= 别紧张，(你已经准备好了|相信自己)，今晚(早点睡|好好休息)，(祝你成功|祝你顺利)！
en? I have (an exam|an interview|a speech|a game) tomorrow and I am (nervous|afraid|worried)(.|, what can I do?)
en= Do not worry, you are well prepared. Sleep well tonight. Good luck!

# sick
zh? (我|我好像)(感冒了|发烧了|头疼|肚子疼|嗓子疼|不舒服)(，怎么办？|。|了怎么办？)
zh= 多(喝热水|休息)，(吃清淡一点|早点睡)。我不是医生，(如果不见好|要是很难受)，请去医院看看。
en? I (have a cold|have a fever|have a headache|feel sick|am ill)(.|, what should I do?)
en= Rest and drink warm water. I am not a doctor, so please see one if it does not get better.

# eat what
zh? (今天|晚上|中午|早上|晚饭|午饭|早饭|晚餐|午餐)(吃什么|吃点什么|吃什么好|应该吃什么)(|好呢|呢)(？|?)
zh? (推荐|给我推荐)(一道菜|几道家常菜|点好吃的|一个简单的菜)(|吧)(。|！|)
zh= 试试(西红柿炒鸡蛋|青菜豆腐汤|一碗热面条|土豆炖牛肉|蛋炒饭)吧，(简单又好吃|做起来很快|很家常)。
en? What (should|shall|can) I (eat|cook|have) (today|for dinner|for lunch|tonight)?
en= How about (noodles with vegetables|tomatoes with eggs|fried rice|a warm soup|fish with rice)? It is (simple and tasty|quick to make).

# hungry
zh? (我|我有点|肚子)(饿了|好饿|很饿)(。|！|，怎么办？)
zh= 那就(吃点东西吧|去吃饭吧)，(一碗面条|一个苹果|几块饼干|一个鸡蛋)也不错。
en? I am (so |very |a bit |)hungry(.|!)
en= Then have something to eat. An apple or some bread would be good.

# thirsty
zh? (我|我有点)(渴了|好渴|很渴|口渴)(。|！)
zh= 快(喝杯水|喝点水)吧，(温水最好|少喝甜的饮料)。
en? I am (so |very |)thirsty(.|!)
en= Drink a glass of water. It is better than sweet drinks.

# tomato eggs
zh? (西红柿炒鸡蛋|番茄炒蛋)(怎么做|怎么炒|的做法是什么)(？|?)
zh= 先炒鸡蛋，盛出来；再炒西红柿，(加一点盐和糖|放盐)；最后把鸡蛋倒回去，(炒匀|翻炒几下)就好了。
en? How do I (cook|make) (tomatoes with eggs|eggs with tomatoes)?
en= Fry the eggs and take them out. Fry the tomatoes with some salt, then add the eggs again.

# tea
zh? (怎么|怎样|如何)(泡茶|泡一杯好茶)(？|?)
zh= 先(烧水|把水烧开)，放茶叶，倒入热水，(等两三分钟|过三分钟)就可以喝了。
en? How do I make (tea|a cup of tea|good tea)?
en= Boil water, put tea leaves into the pot, add the hot water and wait three minutes.

# rice
zh? (怎么|怎样|如何)(煮米饭|做米饭|煮饭)(？|?)
zh= 把米洗(干净|两遍)，加水，(水比米多一点|水没过米一个指节)，用电饭锅煮好，再等十分钟。
en? How do I cook rice?
en= Wash the rice, add a bit more water than rice, cook it until the water is gone, and wait ten minutes.

# breakfast
zh? (早饭|早餐)(吃什么好|吃什么比较健康|重要吗|可以不吃吗)(？|?)
zh= 早饭很重要。(牛奶、鸡蛋加面包|豆浆、包子加水果|一碗粥加一个鸡蛋)就很好。
en? (What is a good breakfast|Is breakfast important|What should I eat for breakfast)?
en= Breakfast is important. Milk, an egg and some bread are a good start.

# fruit
zh? (多吃水果|吃水果|吃苹果|吃蔬菜)(有什么好处|好吗|有用吗|健康吗)(？|?)
zh= 水果和蔬菜里有(很多|丰富的)维生素，(每天吃一些|适量吃)对身体很好。
en? (Is fruit good for me|Why should I eat fruit|Are vegetables healthy|Are apples healthy)?
en= Fruit and vegetables have many vitamins. Some every day is good for you.

# water
zh? (每天|一天)(要喝多少水|应该喝多少水|喝几杯水)(？|?)
zh= 一般每天喝(六到八杯|七八杯)水就够了，(天热或运动时|出汗多的时候)要多喝一些。
en? How much water should I drink( every day| a day|)?
en= About six to eight cups a day are enough. Drink more when it is hot.

# learn english
zh? (怎么|怎样|如何)(才能|)(学好|学习|提高)(英语|英文|外语)(？|?)
zh= 每天(听一点、说一点、读一点|坚持听说读写)，(不怕说错|不要怕出错)，慢慢就会进步。
en? How (can|do|should) I (learn|study|improve my) (Chinese|English)?
en= Listen, speak and read a little every day, and do not be afraid of mistakes.

# learn
zh? (怎么|怎样|如何)(才能|)(学好数学|学得更快|提高成绩|记住更多|学习更有效)(？|?)
zh= 先(弄懂|理解)，再(多练习|多做题)，(每天复习一点|错题要再做一遍)，不要着急。
en? How (can|do) I (learn faster|get better grades|learn math|remember more|study better)?
en= First understand, then practice. Repeat a little every day and be patient.

# reading
zh? (推荐|给我推荐)一本书(|吧)(。|！)
zh? (读书|看书|阅读)(有什么好处|有什么用|重要吗)(？|?)
zh= 读书能(增长知识|让人学到很多)，也能让人(安静下来|放松)。(选你喜欢的书开始读吧。|从感兴趣的书开始就好。)
en? (Why should I read|Is reading useful|Can you recommend a book|What is reading good for)?
en= Reading brings knowledge and calm. Begin with a book about something you like.

# sport
zh? (怎么|怎样|如何)(锻炼身体|开始运动|减肥|保持健康|变强壮)(？|?)
zh? (运动|跑步|散步|游泳)(有什么好处|对身体好吗|有用吗)(？|?)
zh= 每天(走走路|跑跑步|做半小时运动)，(吃得清淡|少吃甜食)，睡够觉，身体会(越来越好|更健康)。
en? How (can|do) I (stay healthy|start with sport|get stronger|lose weight)?
en? (Is running|Is walking|Is swimming) good for (me|my health)?
en= Move for half an hour every day, eat simple food and sleep enough.

# travel
zh? (周末|假期|放假)(去哪里玩|去哪里好|有什么好玩的地方|可以去哪儿)(？|?)
zh= 可以去(公园走走|山里看风景|海边吹吹风|博物馆看看|古镇逛逛)，(带上水和零食|叫上朋友一起去)。
en? Where (can|should|shall) I go (on the weekend|on my holiday|on vacation)?
en= You could go to (the sea|the mountains|a park|a museum|a small old town), perhaps with a friend.

# pack
zh? (旅行|出去玩|旅游|出门)(要带什么|该带什么|要准备什么)(？|?)
zh= 带上(身份证件|证件)、手机、(换洗的衣服|几件衣服)、(常用药|雨伞)和(水|一点零食)。
en? What should I (pack|take with me) (for a trip|for my holiday|when I travel)?
en= Take your papers, your phone, some clothes, medicine and an umbrella.

# weekend
zh? (周末|星期六|星期天)(做什么好|有什么安排|可以做什么|怎么过)(？|?)
zh= 可以(睡个懒觉|打扫房间)，再(和朋友吃饭|看一场电影|去公园散步|做一顿好吃的)，轻松一下。
en? What (can|should|shall) I do (on the weekend|on Saturday|on Sunday)?
en= Sleep a bit longer, meet a friend, see a film or walk in the park.

# music
zh? (推荐|给我推荐)(一点|一些)音乐(|吧)(。|！)
zh? (听音乐|唱歌|学乐器)(有什么好处|好吗)(？|?)
zh= 音乐能让人(放松|开心)。(累的时候听轻音乐|跑步的时候听快歌)，感觉会(更好|很不错)。
en? (Is music good for me|Which music should I hear|Why do people like music)?
en= Music makes people calm or happy. Try soft music when you are tired.

# film
zh? (想看电影，|)(看什么电影好|推荐一部电影吧|有什么好电影)(？|。)
zh= 我不知道现在有什么新电影。(想笑就看喜剧|想放松就看喜剧|喜欢动物就看动画片)吧。
en? (Which film should I see|Can you recommend a film|What is a good movie)?
en= I do not know new films. If you want to laugh, choose a comedy.

# birthday
zh? (今天|明天)是(我的|我妈妈的|我朋友的|我爸爸的)生日(！|。|，该怎么庆祝？)
zh= 生日快乐！(一起吃蛋糕|准备一个蛋糕)，(说说心里话|唱首生日歌)，(一定很开心|会是美好的一天)。
en? (Today|Tomorrow) is (my|my mother's|my friend's|my father's) birthday(!|.)
en= Happy birthday! A cake and a song will make it a lovely day.

# new year
zh? (新年快乐|春节快乐|过年好|节日快乐|中秋节快乐)(！|。|)
zh= 谢谢，也祝你(节日快乐|身体健康|天天开心)，(一切顺利|万事如意)！
en? (Happy New Year|Happy holidays|Merry Christmas)(!|.|)
en= Thank you, the same to you! I wish you health and joy.

# gift
zh? 给(妈妈|爸爸|朋友|老师|女朋友|男朋友)(送什么礼物好|送什么好|买什么礼物好|准备什么礼物)(？|?)
zh= 可以送(一束花|一条围巾|一本书|一盒好茶|自己做的卡片)，(心意最重要|重要的是心意)。
en? What (can|should) I give (my mother|my father|my friend|my teacher) (for a birthday|as a gift)?
en= Perhaps flowers, a scarf, a book or a card that you made. What counts is the thought.

# friend
zh? (怎么|怎样|如何)(交朋友|认识新朋友|和朋友相处|和人聊天)(？|?)
zh= (真诚地对人|主动打招呼)，多(听别人说|关心别人)，(找到共同的爱好|一起做喜欢的事)，就会有朋友。
en? How (can|do) I (make friends|find friends|talk with people)?
en= Be friendly, listen well, and do things together that you both like.

# quarrel
zh? (我|今天我)(和朋友|和妈妈|和同学|和同事)吵架了(。|，怎么办？)
zh= 先冷静一下，再好好(谈一谈|说清楚)。(说一声对不起并不难|听听对方的想法)，(很快会和好的|关系会好起来)。
en? I (quarreled|had a fight) with my (friend|mother|classmate|colleague)(.|, what should I do?)
en= Calm down first, then talk about it. A kind word often helps.

# work
zh? (工作|作业|事情)(太多|好多)(了，怎么办？|，做不完怎么办？|，压力很大。)
zh= 先列一张清单，(最重要的先做|一件一件地做)，(累了就休息一会儿|别忘了休息)。
en? I have too much (work|homework|to do)(.|, what can I do?)
en= Make a list, do the most important thing first, and take breaks.

# early
zh? (怎么|怎样|如何)(早起|早点起床|按时起床)(？|?)
zh= 早点睡，(把闹钟放远一点|定好闹钟)，起床后(拉开窗帘|喝杯水)，(坚持几天就习惯了|慢慢就习惯了)。
en? How (can|do) I get up (early|earlier)?
en= Go to bed early, put the alarm clock far away and open the curtains at once.

# room
zh? (房间|家里|桌子)(很乱|太乱了)(，怎么办？|，怎么整理？|。)
zh= 先扔掉(不用的东西|没用的东西)，再(分类放好|一样一样放好)，每天整理(十分钟|一点)就行。
en? My (room|desk|home) is a mess(.|, what can I do?)
en= Throw away what you do not need, put the rest in order, and tidy up ten minutes a day.

# plants
zh? (怎么|怎样|如何)(养花|种花|养好植物|照顾花草)(？|?)
zh= 放在有阳光的地方，(土干了再浇水|不要浇太多水)，(偶尔施点肥|叶子脏了擦一擦)。
en? How do I (keep|care for|look after) (plants|flowers)?
en= Put them in the sun and water them when the soil is dry.

# cat and dog
zh? (养猫|养狗|养宠物)(好吗|难吗|要注意什么)(？|?)
zh= 宠物很可爱，但要(每天照顾|花时间照顾)它们：(喂食、喝水、打扫|喂饭、玩耍、看医生)。想好了再养。
en? (Should I get|Is it hard to keep|What does it take to keep) a (cat|dog|pet)?
en= Pets are lovely, but they need food, time and care every day.

# save money
zh? (怎么|怎样|如何)(存钱|省钱|少花钱)(？|?)
zh= (每个月先存一点|记下每天的花费)，买东西前想一想(是不是真的需要|需不需要)，(少点外卖|自己做饭)也能省钱。
en? How (can|do) I save money?
en= Write down what you spend, buy only what you need, and put a little aside every month.

# phone
zh? (总是|一直)(玩手机|看手机)(怎么办？|好吗？|，停不下来。)
zh= 给自己定个时间，(吃饭和睡前不看|睡觉时把手机放远一点)，多(出去走走|和家人说话)。
en? I (look at|play with) my phone too much(.|, what can I do?)
en= Set times without it, for example at meals and before bed.

# morning
zh? (早安|早上好|早)(！|，今天又是新的一天！|，我刚起床。)
zh= 早上好！(祝你今天一切顺利。|新的一天，加油！|吃早饭了吗？)
en? Good morning(!|, I just got up.|, it is a new day!)
en= Good morning! I wish you a good day.

# encourage
zh? (我不行|我做不到|我总是失败|我没有信心|鼓励我一下|给我加油)(|吧)(。|！)
zh= 你(一定可以|能行)的！(慢慢来|一步一步来)，(每天进步一点|失败了再试一次)，就会成功。
en? (I cannot do it|I always fail|Please encourage me|I have no confidence|Cheer me up)(.|!)
en= You can do it! Go step by step, and try again if it fails.

# road
zh? (过马路|开车|骑车|走夜路)(要注意什么|怎么才安全)(？|?)
zh= (看清红绿灯|遵守交通规则)，(不要着急|不看手机)，安全(第一|最重要)。
en? How do I (cross the street|drive|ride a bicycle) safely?
en= Watch the lights, do not hurry and leave the phone alone.
`
