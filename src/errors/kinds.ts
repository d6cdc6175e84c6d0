/** The kinds of errors, by what a caller can do. The first word of a code is its kind. */
export const ERROR_KINDS = {
  option: 'Correct what was passed to the call, the command or the settings file.',
  input: 'Correct the prompt, the conversation or the data.',
  checkpoint: 'Use other files, or download or write these again.',
  adapter: 'Use another GPU, driver, browser or machine, or ask for less.',
  source: 'Correct the address, or mend the network, the server or the permission.',
  sink: 'Make space, or write to another place.',
  device: 'Load the model again.',
  training: 'Change the settings of the training, or resume it. See [Fine-tuning](fine-tuning.md).',
  store: 'Make space in the storage of the browser, or download again.',
  busy: 'Try again later.',
} as const

export type ErrorKind = keyof typeof ERROR_KINDS
