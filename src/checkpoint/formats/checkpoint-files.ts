/** Weight files in the order of preference of Hugging Face's loaders, single file before index; PEFT's adapters last. */
export const WEIGHT_FILES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'adapter_model.safetensors',
  'adapter_model.bin',
] as const

export const CONFIG_FILE = 'config.json'
/** What PEFT saves beside an adapter. */
export const ADAPTER_CONFIG_FILE = 'adapter_config.json'
export const MANIFEST_FILE = 'manifest.json'
export const SAFETENSORS_INDEX_FILE = 'model.safetensors.index.json'
/** What an unfinished checkpoint has until its last file is written. */
export const PROGRESS_FILE = 'checkpoint-progress.json'

/** The names by which the files of a ChatGLM checkpoint are known. */
export const WELL_KNOWN_FILES: readonly string[] = [
  ...WEIGHT_FILES,
  CONFIG_FILE,
  ADAPTER_CONFIG_FILE,
  MANIFEST_FILE,
  'generation_config.json',
  'tokenizer.model',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
]
