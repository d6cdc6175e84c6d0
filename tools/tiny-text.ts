/**
 * The text that the small model's tokenizer is learned from, written for this purpose: what people say to an
 * assistant, advertisements as the demonstration data set has them, a call of a tool, some code.
 */

export const PROSE = `
你好，很高兴见到你！我是一个人工智能助手，可以回答问题、写文章、翻译句子，也可以陪你聊天。
你好！请问有什么可以帮助你的吗？如果你有任何问题，请随时告诉我，我会尽力帮助你。
谢谢你的帮助，这个回答非常好。不客气，如果还有其他问题，欢迎继续提问。
请问你叫什么名字？我没有名字，我是一个语言模型，运行在你自己的电脑上，不会把你的话发送到任何地方。
晚上睡不着怎么办？可以试试这些方法：第一，每天在同一时间睡觉和起床；第二，睡前不要看手机；第三，少喝咖啡和茶；第四，白天多运动。
请给我写一首关于春天的诗。春风吹过山岗，小河轻轻歌唱，花儿开满村庄，燕子回到故乡。
请把这句话翻译成英文：今天天气很好，我们一起去公园散步吧。
中国的首都是北京，最长的河流是长江，最高的山峰是珠穆朗玛峰。中国有五千年的历史和文化。
水在零度时结冰，在一百度时沸腾。地球绕着太阳转，月亮绕着地球转。光的速度大约是每秒三十万公里。
请用简单的话解释什么是人工智能。人工智能是让机器像人一样学习、理解和思考的技术，例如看懂图片、听懂声音、理解文字。
机器学习是人工智能的一个重要方法：给机器很多数据，让它自己从数据中学习规律，然后用这些规律回答新的问题。
语言模型根据前面的文字预测下一个词。它一次生成一个词，把生成的词加到后面，再预测下一个，直到回答结束。
神经网络由很多层组成，每一层都有许多参数。训练的时候，参数会根据误差一点一点地调整，使模型的输出越来越好。
前缀微调只训练很少的参数，模型本身的参数保持不变，因此一个模型可以有很多个前缀，每个前缀完成一个任务。
小明有五个苹果，给了小红两个，又买了三个，现在他有几个苹果？小明现在有六个苹果，因为五减二等于三，三加三等于六。
学校里有三百名学生，其中一百六十名是女生，请问男生有多少名？男生有一百四十名。
怎样才能学好英语？多听、多说、多读、多写，每天坚持学习半个小时，不要害怕说错，慢慢就会进步。
请介绍一下杭州。杭州是浙江省的省会，西湖的风景非常美丽，龙井茶也很有名，每年都有很多游客来这里旅游。
请推荐几道家常菜。西红柿炒鸡蛋、红烧肉、麻婆豆腐、清蒸鱼和青椒土豆丝都很好吃，做起来也不难。
西红柿炒鸡蛋的做法：先把鸡蛋打散，放一点盐；锅里放油，油热以后炒鸡蛋；再放西红柿，炒出汁，最后把鸡蛋放回锅里炒匀。
从前有一座山，山里有一座庙，庙里有一个老和尚和一个小和尚。有一天，老和尚对小和尚说，我给你讲一个故事。
森林里住着一只聪明的小兔子。一天早上，它听见河边有声音，原来是一只小鸟受了伤。小兔子把小鸟带回家，给它水和食物，几天以后，小鸟又能飞了。
妈妈对孩子说，外面下雨了，出门的时候要带伞。孩子说，知道了，妈妈，我会早点回来的。
他昨天去了医院，医生说没有大问题，只要多休息，多喝水，按时吃药，过几天就会好起来。
公司明天下午两点在二楼会议室开会，请大家准时参加，并准备好这个月的工作报告。
这台电脑的屏幕很清楚，速度也快，价格不贵，适合学生使用。如果你经常玩游戏，可以选择更好的显卡。
火车站离这里不远，坐地铁三站就到。你也可以坐公共汽车，不过现在是上班时间，路上的车比较多。
保护环境要从小事做起：不乱扔垃圾，节约用水用电，出门多走路，少开车，买东西自己带袋子。
读书可以增长知识，也可以让人安静下来。一个人如果喜欢读书，就不会觉得孤单。
如果明天不下雨，我们就去爬山；如果下雨，我们就在家里看电影，做一顿好吃的饭。
虽然这件事情很困难，但是只要我们一起努力，就一定能够成功。失败并不可怕，可怕的是不敢再试一次。
对不起，我不太明白你的意思，你能再说一遍吗？你可以说得更具体一些，比如时间、地点和要求。
抱歉，这个问题我不知道答案。我的知识有限，请以可靠的资料为准，不要完全相信我的回答。
类型#裙*颜色#红色*风格#简约*版型#显瘦*裙长#中长款*裙型#百褶裙。这款红色的百褶裙采用简约的设计，修身的版型很好地修饰身材，中长款的裙摆随着脚步轻轻摆动，显瘦又优雅。
类型#上衣*材质#棉*颜色#白色*风格#休闲*图案#印花*衣样式#衬衫。这件白色的衬衫选用柔软的棉质面料，穿着舒适透气，胸前的印花图案增添了几分活泼的气息，休闲又时尚，适合日常穿着。
类型#裤*版型#宽松*材质#牛仔布*风格#街头*裤长#九分裤*裤型#阔腿裤。宽松的阔腿版型不挑身材，九分的长度露出纤细的脚踝，牛仔布面料结实耐磨，搭配一件简单的短上衣，街头感十足。
类型#上衣*颜色#黑色*风格#复古*衣样式#风衣*衣长#长款*衣领型#翻领。黑色的长款风衣带着复古的味道，经典的翻领设计显得大气，腰间的腰带勾勒出腰线，让你轻松穿出高级感。
类型#裙*材质#雪纺*图案#碎花*风格#清新*裙长#连衣裙*裙领型#圆领。清新的碎花连衣裙，轻薄的雪纺面料飘逸透气，圆领设计简单大方，衬托出甜美可爱的气质，是夏天出游的好选择。
类型#上衣*材质#羊毛*颜色#纯色*风格#通勤*衣样式#毛衣*衣袖长#长袖。柔软的羊毛面料温暖亲肤，纯色的设计简洁百搭，长袖的款式在秋冬季节也能抵御寒冷，上班通勤穿着非常合适。
这款毛衣的领口采用精致的蕾丝拼接，袖口的荷叶边设计增加了层次感，整体看起来温柔又浪漫，深受女性的喜爱。
立体的剪裁和流畅的线条展现出成熟的魅力，舒适的面料让你在每一个季节都能自信地走出家门。
经典的黑白条纹永不过时，搭配高腰的短裤，拉长腿部的比例，让身材更加修长，彰显年轻的活力。
现在北京的天气怎么样？北京今天晴，气温二十二度，微风，适合出门。明天多云转小雨，请记得带伞。
请帮我查一下上海到广州的火车票。好的，我来帮您查询，请问您想在哪一天出发？
周末你有什么安排？我打算和朋友去看电影，然后一起吃晚饭。你呢？我可能在家休息，整理一下房间，听听音乐。
他的爷爷今年八十岁了，身体还很健康，每天早上都去公园打太极拳，下午和老朋友下棋、喝茶。
秋天到了，树叶黄了，一片一片地落下来。农民们在田里收获水稻和玉米，脸上都带着笑容。
夜深了，月光照在窗前，城市渐渐安静下来，只有远处还亮着几盏灯。他坐在桌前，给远方的朋友写一封信。
问：什么是数据库？答：数据库是按照一定的结构存储和管理数据的系统，用户可以方便地查询、增加、修改和删除数据。
问：怎样减少压力？答：可以做运动、听音乐、和朋友聊天，也可以把担心的事情写下来，然后一件一件地解决。
总的来说，这个方案有三个优点：一是成本低，二是速度快，三是容易使用；缺点是目前还不支持所有的设备。
首先，打开设置；其次，选择网络；然后，输入密码；最后，点击“连接”。如果连接失败，请检查密码是否正确。
“学而时习之，不亦说乎？有朋自远方来，不亦乐乎？”这句话的意思是：学习并且经常复习，不是很愉快吗？有朋友从远方来，不是很快乐吗？
千里之行，始于足下。路虽远，行则将至；事虽难，做则必成。世上无难事，只怕有心人。
您好，这里是客服中心。您的订单已经发货，预计三天以内到达。如果商品有质量问题，七天之内可以免费退换。
《红楼梦》、《西游记》、《水浒传》和《三国演义》是中国古典小说的四大名著。孙悟空是《西游记》里最有名的人物。
请写一封请假信。尊敬的王老师：您好！我因为感冒发烧，今天不能来上课，特此请假一天，请您批准。学生：李华。
今年我们公司的销售额增长了百分之十五，新产品很受市场欢迎。明年我们计划开发更多的产品，为客户提供更好的服务。
科学家发现，睡眠对记忆非常重要。人在睡觉的时候，大脑会整理白天学到的东西，把重要的内容保存下来。
电动汽车不用汽油，行驶的时候没有废气，声音也小，不过充电需要的时间比加油长，电池的寿命也有限。
想要减肥，最重要的是控制饮食和坚持运动。不要不吃早饭，晚饭少吃一些，每个星期运动三到四次，每次四十分钟左右。
我最喜欢的季节是冬天，因为可以和家人一起包饺子、放烟花、过春节。过年的时候，孩子们穿上新衣服，给长辈拜年，收到红包，高兴极了。

Hello! I am an assistant that runs on your own computer. How can I help you today?
Thank you very much for your help. You are welcome. Please let me know if you have any other questions.
What is the capital of China? The capital of China is Beijing. What is the largest city in the world?
Please write a short story about a little bird that wanted to fly over the sea.
Once upon a time there was a small village near the mountains. The people of the village were kind, and every evening they would sit together and tell stories.
One day a little girl found an old book in the forest. When she opened the book, the words began to shine, and a voice said: "Every question has an answer, but you have to look for it."
The weather is nice today, so we are going to walk in the park. It will rain tomorrow, so please take an umbrella with you.
Machine learning is a way to make computers learn from data. A language model predicts the next token from the tokens before it.
The model computes one layer after another. Each layer has attention, which looks at the other tokens, and a feed forward network, which looks at each token by itself.
A prefix is a short list of trained vectors. The weights of the model stay the same, and only the prefix changes for each task.
To make good tea, heat the water first, put the leaves into the pot, pour the hot water over them, and wait for three minutes.
I would like to learn English. What should I do? You should listen, speak, read and write every day, and you should not be afraid of making mistakes.
She said that she could not come to the meeting because she had to work at home. He thought about it for a long time, and then he answered her letter.
There are many ways to solve this problem. First, we can try the simple one. If it does not work, we can use another method that takes more time.
The quick brown fox jumps over the lazy dog. Pack my box with five dozen large jugs, just for the sake of every letter: quiz, zebra, oxygen, jazz.
In the morning the sun rises in the east, and in the evening it sets in the west. The moon moves around the earth, and the earth moves around the sun.
Our new product is light, fast and easy to use. It is made of soft cotton, and it comes in black, white, red and blue.
This summer dress has a simple round neck and a small flower print. It is soft, comfortable and beautiful, and it goes well with white shoes.
I don't know the answer to this question. I'm sorry, but I can't help you with that. It's better to ask someone who knows more about it.
Translate the following sentence into Chinese: "The best time to plant a tree was twenty years ago. The second best time is now."
Answer the following questions as best as you can. You have access to the following tools:
[
    {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {
                    "type": "string",
                    "description": "The name of the city"
                },
                "unit": {
                    "type": "string"
                }
            },
            "required": ["location"]
        }
    }
]
get_current_weather
\`\`\`python
tool_call(location='beijing', unit='celsius')
\`\`\`
{"temperature": 22, "description": "Sunny", "city": "Beijing"}
interpreter
\`\`\`python
def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)

for i in range(10):
    print(i, fibonacci(i))
\`\`\`
function add(a, b) {
  const result = a + b
  console.log(result)
  return result
}
| name | value |
| --- | --- |
1. **first** 2. **second** 3. **third**
https://www.example.com/index.html?name=value&page=1#top user@example.com 2024-01-01 12:30:45 3.14159 50% $100
`

/** Words that are worth a piece although the prose above has them once or not at all. */
export const WORDS = `
我们 你们 他们 她们 它们 自己 大家 别人 什么 怎么 怎样 这样 那样 这个 那个 这里 那里 这些 那些 哪里 哪个 为什么 多少 时候 时间 今天 明天 昨天
现在 以前 以后 已经 正在 刚才 马上 将来 最近 经常 有时 总是 从来 一直 一起 一样 一些 一点 一定 一个 一次 一种 两个 三个 每个 每天 第一 第二 第三
因为 所以 但是 可是 不过 虽然 如果 而且 或者 并且 然后 于是 因此 由于 除了 关于 对于 根据 通过 按照 为了 不仅 只有 只要 无论 即使 比如 例如 其中 其他
可以 可能 能够 应该 必须 需要 愿意 希望 知道 认为 觉得 相信 喜欢 发现 开始 继续 结束 完成 成为 进行 使用 利用 提供 选择 决定 解决 影响 提高 增加 减少
没有 不是 不会 不能 不要 不同 还是 还有 就是 也是 都是 只是 是否 非常 特别 比较 更加 十分 几乎 大约 完全 真正 当然 其实 终于 突然 渐渐 慢慢
中国 美国 英国 法国 日本 世界 国家 北京 上海 广州 深圳 城市 农村 社会 政府 经济 政治 文化 历史 教育 科学 技术 艺术 音乐 电影 体育 法律 环境 市场 企业
公司 学校 大学 医院 银行 工厂 商店 图书馆 学生 老师 医生 工人 农民 孩子 父母 朋友 先生 女士 同学 同事 人们 人类 生活 工作 学习 研究 发展 建设 管理 服务
问题 方法 结果 原因 情况 条件 关系 作用 内容 方面 部分 过程 系统 程序 计划 目标 任务 活动 事情 机会 经验 知识 能力 思想 精神 信息 数据 语言 文字 文章 故事
电脑 手机 电话 网络 互联网 软件 硬件 人工智能 机器 模型 训练 参数 输入 输出 文件 图片 视频 声音 颜色 白色 黑色 红色 蓝色 绿色 黄色 粉色 灰色 紫色
面料 设计 款式 版型 风格 图案 材质 类型 上衣 裤子 裙子 连衣裙 衬衫 毛衣 外套 风衣 牛仔裤 短裤 半身裙 领口 袖口 腰部 腰线 身材 显瘦 修身 宽松 时尚 休闲 简约
复古 优雅 甜美 性感 舒适 柔软 透气 经典 百搭 气质 魅力 质感 线条 元素 个性 搭配 穿着 采用 打造 展现 彰显 修饰 增添 精致 独特 大方 可爱 浪漫 清新 街头 蕾丝 印花
条纹 格子 刺绣 拼接 高腰 圆领 长袖 短袖 棉质 针织 牛仔 雪纺 春夏 秋冬 夏季 冬季 吃饭 喝水 睡觉 起床 运动 旅游 天气 温度 下雨 春天 夏天 秋天 冬天 太阳 月亮
早上 上午 中午 下午 晚上 星期 小时 分钟 高兴 快乐 美丽 漂亮 重要 简单 困难 容易 安全 健康 方便 清楚 明白 帮助 谢谢 对不起 没关系 再见 欢迎 请问 介绍 回答 解释
the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not what all were we when
your can said there use an each which she do how their if will up other about out many then them these so some her would make like him into time
has look two more write go see number no way could people my than first water been call who its now find long down day did get come made may part
over new sound take only little work know place year live me back give most very after thing our just name good sentence man think say great where
help through much before line right too mean old any same tell follow came want show also around form three small set put end does another well
large must big even such because turn here why ask went read need land different home move try kind hand picture again change off play spell air
away animal house point page letter mother answer found study still learn should world high every near add food between own below country plant
last school father keep tree never start city earth eye light thought head under story left few while along might close something seem next hard
open example begin life always those both paper together got group often run important until children side feet car night walk white sea began
grow took river four carry state once book hear stop without second later miss idea enough eat face watch far really almost let above girl sometimes
mountain cut young talk soon list song being leave family body music color red question fish area mark dog horse birds problem complete room knew
since ever piece told usually friends easy heard order sure become top ship across today during short better best however low hours black products
happened whole measure remember early waves reached listen wind rock space covered fast several hold himself toward five step morning passed true
hundred against pattern numeral table north slowly money map farm pulled draw voice seen cold cried plan notice south sing war ground fall king
town unit figure certain field travel wood fire upon return null class import print function value string number array object index model token
system user assistant name type description required location temperature weather result error message language computer program file data text
`
