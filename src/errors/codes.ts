import type { ErrorKind } from './kinds.js'

/** What a user should know of a code; the texts are Markdown. */
export interface ErrorEntry {
  /** What went wrong, in a sentence. */
  readonly meaning: string
  /** What to do about it. */
  readonly advice: string
}

/**
 * Every code with its meaning and advice. Codes are part of the public API: a new one may come, none changes its meaning.
 * `docs/troubleshooting.md` is made from this table by `npm run docs:errors`.
 */
export const ERROR_CODES = {
  'option.invalid': {
    meaning: 'An option has a value that makes no sense, or asks for a variant that cannot run here.',
    advice: 'Correct it. The details say which option it is, its value and what is accepted.',
  },
  'option.kernel-argument': {
    meaning: 'A kernel was asked for sizes or options that it does not have, before any work on the GPU.',
    advice: 'Correct the call. If you did not call a kernel yourself, report it.',
  },
  'option.settings-file': {
    meaning: 'A YAML file of training settings has a name or a value without meaning here.',
    advice: 'Correct what the message names.',
  },
  'option.stream-left': {
    meaning: 'The result of an answer was asked for after the loop over its pieces was left early.',
    advice: 'Take all pieces, or call `result()` alone.',
  },

  'input.context-overflow': {
    meaning: 'The prompt leaves no room for an answer.',
    advice: 'Shorten the conversation, or load the model with a larger `contextLength`.',
  },
  'input.dataset': {
    meaning:
      'Training or evaluation data cannot be used. The message names the file, the line and what was expected.',
    advice:
      'Correct the line. Convert AdvertiseGen and ToolAlpaca with `chatglm data`. Allow more tokens if everything to ' +
      'learn from is cut off.',
  },
  'input.encoding': {
    meaning: 'A file or a pipe holds bytes that are no text in UTF-8, or in the encoding that was named.',
    advice: 'Save it as UTF-8, or give its encoding: `--encoding gb18030`. The message names the line.',
  },
  'input.json': {
    meaning: 'A text is no JSON, gives a key twice, or is nested out of proportion. The details say where.',
    advice: 'Correct it there.',
  },
  'input.message-invalid': {
    meaning: 'A field of a message has the wrong type or the wrong place.',
    advice: 'Correct the message. The details say which one it is.',
  },
  'input.messages-empty': {
    meaning: 'The conversation has no messages.',
    advice: 'Give at least one.',
  },
  'input.not-serializable': {
    meaning: 'A value, such as `tools`, holds something that JSON cannot.',
    advice: 'Pass plain objects, arrays, strings and numbers.',
  },
  'input.prefix-unloaded': {
    meaning: 'The prefix of a call was unloaded, or belongs to another model object.',
    advice: 'Load it into this model.',
  },
  'input.python-literal': {
    meaning:
      'The model wrote a tool call that is no call of literals. The error is inside an `invalid-tool-call` segment; ' +
      'it is not thrown.',
    advice: 'Show it to the model, or ask again.',
  },
  'input.role-unknown': {
    meaning: 'A message has a role other than system, user, assistant and observation.',
    advice: 'Give the answer of a tool the role `observation`.',
  },
  'input.system-misplaced': {
    meaning: 'A system message comes after the first place.',
    advice: 'Move it to the beginning.',
  },
  'input.token-invalid': {
    meaning: 'An id lies outside the vocabulary.',
    advice: "Give ids of this model's tokenizer.",
  },
  'input.tokens-empty': {
    meaning: 'The prompt has no ids.',
    advice: 'Give at least one.',
  },

  'checkpoint.config-invalid': {
    meaning: 'A value in `config.json` is malformed or not supported.',
    advice: 'Convert the model anew, or correct the value.',
  },
  'checkpoint.corrupt': {
    meaning: 'A file contradicts its format or itself, or is far larger than such a file can be.',
    advice:
      'Download it again. Compare it with its [manifest](checkpoint-format.md#what-a-conversion-writes).',
  },
  'checkpoint.manifest-mismatch': {
    meaning: 'Files differ from `manifest.json`. The details list them.',
    advice: 'Download or write these files again.',
  },
  'checkpoint.adapter-invalid': {
    meaning:
      'The folder holds no adapter that can be used: one for another model, of another method, or one of whose files is ' +
      'missing. The message names what does not fit.',
    advice: 'Give the folder that PEFT saved, and load it into the model it was trained on.',
  },
  'checkpoint.manifest-missing': {
    meaning: 'The files of a checkpoint were to be verified, but it has no `manifest.json`.',
    advice: 'Leave `verify` out, or convert the checkpoint, which writes one.',
  },
  'checkpoint.model-unsupported': {
    meaning: '`config.json` describes no model that this project runs. The message names the field.',
    advice: 'Check that it is chatglm3-6b, -base or -32k, or a model of the same architecture.',
  },
  'checkpoint.not-finite': {
    meaning: 'The model computed `NaN` or infinity. The details say at which position.',
    advice: 'The weights or the prefix are damaged: compare them with their manifest.',
  },
  'checkpoint.not-quantizable': {
    meaning:
      'The weights hold `NaN`, infinity or values beyond float16, or are quantized to other bits already.',
    advice: 'Use the float16 checkpoint.',
  },
  'checkpoint.not-the-file': {
    meaning:
      'Something else lies where the file should be: a Git LFS pointer, or a web page. The details say which file and what.',
    advice: 'Run `git lfs pull`, or download the file itself.',
  },
  'checkpoint.prefix-invalid': {
    meaning: 'The file holds no prefix, a damaged one, or one for another model.',
    advice: "Give the trainer's output. See [Prefixes](checkpoint-format.md#prefixes).",
  },
  'checkpoint.quantizer-unsupported': {
    meaning: 'The weights were quantized by GPTQ, AWQ, bitsandbytes or another tool whose form is not read.',
    advice: 'Convert the float16 checkpoint with `chatglm convert`, or use a GGUF file.',
  },
  'checkpoint.shard-missing': {
    meaning: 'The index lists a file that is not there. The details name it and its tensors.',
    advice: 'Download that file.',
  },
  'checkpoint.tensor-mismatch': {
    meaning: 'A tensor has another dtype or shape than `config.json` asks for.',
    advice: 'Check that `config.json` belongs to these weights.',
  },
  'checkpoint.tensor-missing': {
    meaning: 'The checkpoint has no tensor of that name. The message suggests similar ones.',
    advice: 'Check that it is a ChatGLM3 checkpoint.',
  },
  'checkpoint.tokenizer-invalid': {
    meaning:
      'The file of the tokenizer is damaged or of another kind. The details say what was expected and found.',
    advice: 'Download it again from where the checkpoint came from.',
  },
  'checkpoint.tokenizer-missing': {
    meaning: 'The folder has neither `tokenizer.model` nor `tokenizer.json`.',
    advice: 'Copy `tokenizer.model` of the official checkpoint into it.',
  },
  'checkpoint.truncated': {
    meaning: 'A file is shorter than its header says.',
    advice: 'Download or write it again.',
  },
  'checkpoint.unsafe-path': {
    meaning: 'A path in an index, a manifest or a link leaves the folder.',
    advice: 'Put the file itself into the folder.',
  },
  'checkpoint.unsafe-pickle': {
    meaning: 'A `.bin` file wants more than tensors and could run code.',
    advice: 'Do not use the file, or save only the state dict: `torch.save(model.state_dict(), path)`.',
  },
  'checkpoint.unsupported': {
    meaning:
      'The file is well-formed but of a kind that is not read: torch before 1.6, compressed entries, an unknown dtype or ' +
      'type of ggml.',
    advice: 'Save it again as the message says.',
  },

  'adapter.card-hidden': {
    meaning:
      'A GPU was chosen that WebGPU cannot tell from another: cards of the same name need a process that sees one of them only, ' +
      'which takes Linux and the right to make a mount namespace. The message says what stands in the way.',
    advice:
      'See [Several GPUs](several-gpus.md#choosing). Or start the program where only that card is visible.',
  },
  'adapter.card-unknown': {
    meaning: 'A GPU was chosen that is not there, or is hidden by `CHATGLM_VISIBLE_GPUS`.',
    advice: '`chatglm devices` lists them with their numbers.',
  },
  'adapter.limit': {
    meaning: 'The adapter offers less than is needed. The message names the limit.',
    advice: 'Use a smaller `contextLength` or `cacheTokens`, or another adapter.',
  },
  'adapter.none': {
    meaning:
      'There is no WebGPU, or no adapter. Or the software adapter was asked for and is not there: it is for Node on ' +
      'Linux x64 and some browsers.',
    advice:
      'See [No GPU, or the wrong one](#no-gpu-or-the-wrong-one). In a browser, use a current one, over https or on ' +
      'localhost.',
  },
  'adapter.shader-refused': {
    meaning:
      'The driver refused a kernel that has no other variant, or a variant that was asked for by name.',
    advice:
      "Leave `variants` out. Update the driver or the browser. Try `without: ['shader-f16', 'subgroups']` and report it.",
  },

  'source.failed': {
    meaning:
      'Reading failed outside the data: network, server, permission, or a file that changed meanwhile.',
    advice: 'Check the address. A server must answer range requests, and across origins allow them (CORS).',
  },
  'source.not-found': {
    meaning: 'There is no folder, file or repository where you pointed, or it has no weights.',
    advice:
      'Check the path. Give the folder that holds `model.safetensors` or its index. Run an unfinished conversion to its ' +
      'end.',
  },

  'sink.failed': {
    meaning: 'Writing failed: disk full, permission, or a place that cannot be written to.',
    advice: 'Free space, or give another folder.',
  },
  'sink.occupied': {
    meaning: 'The destination holds other weights, or a finished checkpoint.',
    advice: 'Give an empty folder. `restart` replaces a finished conversion of this project.',
  },
  'sink.resume-mismatch': {
    meaning: 'The folder holds an unfinished conversion with other settings.',
    advice: 'Finish that one, or pass `restart`, or give an empty folder.',
  },
  'sink.write-order': {
    meaning: 'A writer was given tensors in another order or with other bytes than were declared.',
    advice: 'Correct the program that writes. If it is not yours, report it.',
  },

  'device.disposed': {
    meaning: '`dispose()` was called.',
    advice: 'Load the model again.',
  },
  'device.failed': {
    meaning: 'WebGPU reported a validation or internal error: a defect of this project or of the driver.',
    advice: 'Report it with the message and the output of `chatglm devices --json`.',
  },
  'device.lost': {
    meaning: 'The GPU was taken away: a driver reset, a crash, another program.',
    advice: 'Load the model again, in the same process. Nothing on disk was changed.',
  },
  'device.out-of-memory': {
    meaning: 'The GPU could not give a buffer. The details name it and its size.',
    advice:
      'Use a smaller `contextLength` or `cacheTokens`, or fewer bits, or close other programs that use the GPU.',
  },
  'device.worker-failed': {
    meaning: 'The worker or the process of a model did not start, ended by itself, or does not answer.',
    advice:
      'Load the model again. If a process of a GPU ended, the message has what it wrote last. If a worker in a page never ' +
      "starts, look whether the server has its file and the Content-Security-Policy allows it. In Vite's dev server, " +
      'exclude this package from `optimizeDeps`.',
  },

  'training.diverged': {
    meaning:
      'The loss or a gradient became `NaN` or infinite. As a rule this is the `cause` of a `training.stopped`.',
    advice:
      'Begin anew with a lower learning rate, in another folder. The rate of 2e-2 of the official scripts is known to ' +
      'diverge.',
  },
  'training.resume-mismatch': {
    meaning:
      'The output folder holds another training, begun with other settings, data or model, or its checkpoints are damaged.',
    advice: 'Give the setting that the message names its old value, or begin anew in another folder.',
  },
  'training.sample-invalid': {
    meaning:
      'A sequence cannot be trained on: too long, without targets, or with ids that the model does not have.',
    advice: 'Use the datasets of this project, or correct the sample.',
  },
  'training.state-mismatch': {
    meaning: 'Saved parameters do not fit those that are trained.',
    advice: 'Give the checkpoint of the same `prefixLength`, `prefixProjection` and model.',
  },
  'training.stopped': {
    meaning:
      'A training could not go on. `cause` says why; the details name the step and the checkpoint that is kept.',
    advice: 'Remove the cause (free the disk, load the model again), then resume.',
  },
  'training.untrainable': {
    meaning:
      'All weights of a model cannot be trained: it is quantized, too large for the GPU, or has fewer rows than tokens.',
    advice: 'Load the float checkpoint without `quantization`, or train a prefix.',
  },

  'store.incomplete': {
    meaning: 'A stored item lacks files: the download was interrupted, or `verify` found damage.',
    advice: 'Call `download` again. What is there already is not fetched anew.',
  },
  'store.not-found': {
    meaning: 'The store has nothing of that name.',
    advice: 'Download it. `list()` says what there is.',
  },
  'store.quota': {
    meaning: 'The browser grants less space than is needed. The details say how much.',
    advice:
      'Delete a stored model, free the disk, or call `persist()`. The download then goes on where it was.',
  },
  'store.unavailable': {
    meaning:
      'The browser gives the page no private file system: a private window, no https, or an old browser.',
    advice: 'Leave the private window, use https or localhost, or choose the folder of the model each time.',
  },

  'busy.address': {
    meaning: 'Another program listens at the address that a server was to listen at.',
    advice: 'End it, or give another port; 0 takes any that is free.',
  },
  'busy.output': {
    meaning: 'Another conversion or training writes into the folder. The message names its process.',
    advice:
      'Wait until it is done, end it, or give another folder. A lock whose process is gone does not count.',
  },
  'busy.stored-item': {
    meaning: 'Another tab, or another call, works on the same stored item.',
    advice: 'Wait until it is done, or end it there.',
  },
  'busy.waiting': {
    meaning: 'As many sequences wait for a place in the model as it lets wait.',
    advice: 'Ask again when some have ended, or load the model with a larger `maxWaiting`.',
  },
} as const satisfies Readonly<Record<`${ErrorKind}.${string}`, ErrorEntry>>

export type ErrorCode = keyof typeof ERROR_CODES

/** The codes of a kind. */
export type CodeOf<Kind extends ErrorKind> = Extract<ErrorCode, `${Kind}.${string}`>
