import {
  type Checkpoint,
  type OpenCheckpointOptions,
  openCheckpoint,
  type SourceLocation,
} from '../../checkpoint/index.js'
import { modelOfGguf } from './gguf-model.js'

/**
 * Opens the checkpoint of a model. Whatever world it comes from, its tensors have the official names and its `config`
 * is that of an official checkpoint.
 * @throws as `openCheckpoint`; `checkpoint.model-unsupported` for a GGUF file of another model
 */
export async function openModelCheckpoint(
  location: SourceLocation,
  options: OpenCheckpointOptions = {},
): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(location, options)
  return checkpoint.metadata ? modelOfGguf(checkpoint, checkpoint.metadata) : checkpoint
}
