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
