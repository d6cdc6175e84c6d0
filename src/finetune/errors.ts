/** Training or evaluation data that cannot be used; the message says which file and line, and what was expected. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError'
}

/** A file of settings says something that has no meaning here; the message names the file and the setting. */
export class TrainingSettingsError extends Error {
  override readonly name = 'TrainingSettingsError'
}

/** A training cannot be continued: it was begun with other settings, data or model, or its checkpoints are damaged. */
export class TrainingResumeError extends Error {
  override readonly name = 'TrainingResumeError'
}

/** A training ended before its time: the loss is NaN, the GPU was lost, the disk is full. `cause` is the reason. */
export class TrainingStoppedError extends Error {
  override readonly name = 'TrainingStoppedError'

  /**
   * @param step updates that were taken
   * @param checkpoint the folder of the last complete checkpoint, if there is one
   */
  constructor(
    message: string,
    readonly step: number,
    readonly checkpoint: string | undefined,
    options: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** A value of a file or a record, short enough for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  const json = JSON.stringify(value) ?? String(value)
  return json.length > 60 ? `${json.slice(0, 60)}…` : json
}
