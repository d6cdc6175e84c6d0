import type { problemsEn } from './problems-en.js'

/** 各种问题及处理办法的中文文字。 */
export const problemsZh: typeof problemsEn = {
  noWebGpu: {
    title: '这个浏览器没有 WebGPU',
    text: '模型要有它才快。请使用较新的 Chrome 或 Edge（113 及以上）、Safari 26，或 Windows 上的 Firefox 141，并通过 https 或 localhost 打开。Linux 上的 Firefox 要在 about:config 中打开 dom.webgpu.enabled。',
  },
  noAdapter: {
    title: '没有找到 GPU',
    text: '请在浏览器设置中打开图形加速，更新显卡驱动，然后重启浏览器。在 Linux 上，Chrome 可能需要 chrome://flags/#enable-unsafe-webgpu。',
  },
  memory: {
    title: '显存不足',
    text: '请选择更短的上下文或位数更少的模型，或关闭其他占用 GPU 的程序和标签页。',
  },
  limit: { title: 'GPU 能力不足以运行这个模型', text: '请在模型对话框中选择更短的上下文或另一块 GPU。' },
  quota: {
    title: '空间不足',
    text: '请删除已保存的模型或清理磁盘后继续，已下载的部分会保留。也可以直接从文件夹读取模型而不保存。',
  },
  lost: {
    title: 'GPU 被收回了',
    text: '驱动重置、设备休眠或其他程序都可能造成这种情况。对话没有丢失：重新加载模型即可继续。',
    action: '重新加载并继续',
  },
  lostHidden: '标签页当时在后台：浏览器会优先收回后台标签页的 GPU。',
  noStorage: {
    title: '这个窗口不保存任何内容',
    text: '这是隐私窗口，或存储已被关闭。你可以用小模型或文件夹中的模型对话；关闭窗口后对话会消失，请导出想保留的内容。',
  },
  network: {
    title: '无法连接服务器',
    text: '请检查地址和网络。服务器必须支持范围请求，跨源时还要允许访问（CORS）。可以尝试镜像。',
  },
  offline: { title: '没有网络', text: '已保存的模型和小模型仍可使用。恢复网络后，下载会从中断处继续。' },
  notFound: { title: '那里没有模型', text: '请给出含有 config.json 和权重的文件夹。' },
  damaged: { title: '文件已损坏', text: '请重新下载，或校验已保存的模型。' },
  unsupported: { title: '无法运行这个模型', text: '只支持 ChatGLM3 及相同架构的模型。' },
  prefix: { title: '这个前缀不适用', text: '它不是前缀、已损坏，或是为其他模型训练的。' },
  context: { title: '对话太长', text: '请新建对话、回到更早的一轮，或用更长的上下文重新加载模型。' },
  diverged: { title: '训练发散了', text: '损失变为无穷大或非数值。请换一个名称，用更低的学习率重新开始。' },
  data: { title: '数据无法使用', text: '请按详细信息修正文件，然后重新选择。' },
  unloaded: { title: '模型已被卸载', text: '正在进行的工作随之结束。训练可以从最后的检查点继续。' },
  resume: {
    title: '这是另一次训练',
    text: '同名的训练使用了不同的设置、数据或模型。请恢复原来的设置，或换一个名称。',
  },
  numerical: { title: '模型算出了无效数值', text: '权重或前缀已损坏，请校验。' },
  options: { title: '某项设置不可行', text: '请修改后重试。' },
  permission: { title: '无法再读取该文件夹', text: '请重新选择：浏览器不会长期保留这类授权。' },
  busy: { title: '另一个标签页正在处理它', text: '请等待那边的下载或删除完成，或在那边结束它。' },
  driver: { title: '显卡驱动拒绝了一个内核', text: '请更新驱动或浏览器。' },
  unknown: { title: '出了点问题', text: '请重试。若再次出现，请附上详细信息反馈。' },
  useWasm: '用 WASM 运行小模型（较慢）',
  details: '详细信息',
  dismiss: '知道了',
}
