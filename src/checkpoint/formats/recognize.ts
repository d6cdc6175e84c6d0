import { CheckpointError } from '../../errors/index.js'

/** What tells a file that went wrong: a pointer has 130 bytes, a page begins with its type or its head. */
export const START_BYTES = 256

/**
 * What lies in the place of a file of a checkpoint when it was not downloaded; undefined where nothing is known of it.
 *
 * @param start the first bytes of the file
 */
export function whatElse(start: Uint8Array, file: string): CheckpointError | undefined {
  const text = new TextDecoder('latin1').decode(start.subarray(0, START_BYTES))
  if (text.startsWith('version https://git-lfs')) {
    return new CheckpointError(
      'checkpoint.not-the-file',
      `${file} is a Git LFS pointer, not the file: the repository was cloned without git-lfs. Run "git lfs pull" where it ` +
        'came from, or download the file itself.',
      { details: { file, found: 'git-lfs-pointer' } },
    )
  }
  if (/^\s*<(!doctype|html|head|\?xml|!--)/i.test(text)) {
    return new CheckpointError(
      'checkpoint.not-the-file',
      `${file} is a web page, not the file: the server sent it for a login, an error or a wrong address. Open the address in ` +
        'a browser to see what it says, then download the file again.',
      { details: { file, found: 'web-page' } },
    )
  }
  if (text.startsWith('ggml')) {
    return new CheckpointError(
      'checkpoint.unsupported',
      `${file} is a model of chatglm.cpp, whose own format is not read. Convert the official checkpoint with ` +
        '"chatglm convert", or use a GGUF file of llama.cpp.',
    )
  }
  return undefined
}
