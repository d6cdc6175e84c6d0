/** What went wrong, in English, each with what to do. */
export const problemsEn = {
  noWebGpu: {
    title: 'This browser has no WebGPU',
    text: 'Models need it to be fast. Use a current Chrome or Edge (113 or later), Safari 26, or Firefox 141 on Windows, over https or on localhost. Firefox on Linux has it behind dom.webgpu.enabled in about:config.',
  },
  noAdapter: {
    title: 'No GPU was found',
    text: 'Turn on graphics acceleration in the settings of the browser, update the GPU driver, and restart the browser. On Linux, Chrome may need chrome://flags/#enable-unsafe-webgpu.',
  },
  memory: {
    title: 'The GPU has too little memory',
    text: 'Choose a shorter context, a model of fewer bits, or close other programs and tabs that use the GPU.',
  },
  limit: {
    title: 'The GPU offers too little for this model',
    text: 'Choose a shorter context or another GPU in the models dialog.',
  },
  quota: {
    title: 'There is no more space',
    text: 'Delete stored models or free space on the disk, then continue: what was downloaded is kept. A model can also be read from a folder without storing it.',
  },
  lost: {
    title: 'The GPU was taken away',
    text: 'A driver reset, a sleeping device or another program can do that. Nothing of the conversation is lost: load the model again and go on.',
    action: 'Load again and go on',
  },
  lostHidden: 'The tab was in the background: browsers take the GPU from such tabs first.',
  noStorage: {
    title: 'This window keeps nothing',
    text: 'It is a private window, or storage is switched off. You can chat, with the small model or one from a folder; conversations are gone when you close it. Export what you want to keep.',
  },
  network: {
    title: 'The server could not be reached',
    text: 'Check the address and the connection. A server must answer range requests and, for another origin, allow them (CORS). Try a mirror.',
  },
  offline: {
    title: 'There is no network',
    text: 'Stored models and the small one work without. Downloads continue where they stopped once you are online.',
  },
  notFound: {
    title: 'There is no model there',
    text: 'Give the folder that has config.json and the weights.',
  },
  damaged: { title: 'A file is damaged', text: 'Download it again, or verify the stored model.' },
  unsupported: {
    title: 'This model cannot be run',
    text: 'Only ChatGLM3 and models of its architecture work.',
  },
  prefix: {
    title: 'This prefix does not fit',
    text: 'It is none, is damaged, or was trained for another model.',
  },
  context: {
    title: 'The conversation is too long',
    text: 'Start a new chat, go back to an earlier turn, or load the model with a longer context.',
  },
  diverged: {
    title: 'The training has diverged',
    text: 'Its loss became infinite or no number. Begin anew under another name, with a lower learning rate.',
  },
  data: {
    title: 'The data cannot be used',
    text: 'Correct the file as the details say, and choose it again.',
  },
  unloaded: {
    title: 'The model was unloaded',
    text: 'What was under way ended with it. A training goes on from its last checkpoint.',
  },
  resume: {
    title: 'This is another training',
    text: 'The training of this name was begun with other settings, data or model. Give it those again, or choose another name.',
  },
  numerical: { title: 'The model computed nonsense', text: 'Weights or prefix are damaged: verify them.' },
  options: { title: 'A setting is not possible', text: 'Correct it and try again.' },
  permission: {
    title: 'The folder cannot be read any more',
    text: 'Choose it again: browsers forget such permissions.',
  },
  busy: {
    title: 'Another tab is at work on it',
    text: 'Wait until the download or deletion there is done, or end it there.',
  },
  driver: { title: 'The GPU driver refused a kernel', text: 'Update the driver or the browser.' },
  unknown: {
    title: 'Something went wrong',
    text: 'Try again. If it happens again, report it with the details.',
  },
  useWasm: 'Run the small model on WASM (slow)',
  details: 'Details',
  dismiss: 'Dismiss',
}
