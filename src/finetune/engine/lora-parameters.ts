import type { Gpu } from '../../gpu/index.js'
import {
  activationWidths,
  LAYER_PRODUCTS,
  type LinearOperation,
  type ModelBase,
  peftName,
} from '../../runtime/model/index.js'
import { initialValues } from './initial-values.js'
import type { Parameter, ParameterSpec } from './parameters.js'
import type { LoraTrainingOptions, ParameterState } from './training-engine.js'

/** A factor of a matrix, as it is trained: A [rank, in], and B transposed, [rank, out], so that both are read alike. */
export interface FactorSpec extends ParameterSpec {
  readonly layer: number
  readonly operation: LinearOperation
  readonly part: 'A' | 'B'
}

/** The factors that are trained, layer by layer, by the names that PEFT saves them under. */
export function factorSpecs(
  { config }: Pick<ModelBase, 'config'>,
  { rank, roles }: Pick<LoraTrainingOptions, 'rank' | 'roles'>,
): readonly FactorSpec[] {
  const widths = activationWidths(config)
  const operations = LAYER_PRODUCTS.filter(({ weight }) => roles.includes(weight))
  return Array.from({ length: config.layers }, (_, layer) =>
    operations.flatMap((operation): FactorSpec[] => {
      const factor = (part: 'A' | 'B', width: number): FactorSpec => ({
        name: peftName({ layer, role: operation.weight, part }),
        shape: [rank, width],
        decays: true,
        layer,
        operation,
        part,
      })
      return [factor('A', widths[operation.x]), factor('B', widths[operation.y])]
    }),
  ).flat()
}

/**
 * Writes the initial values of new factors, as PEFT does: A as torch fills a linear layer, `kaiming_uniform_(a=sqrt(5))`, which is
 * U(-1 / sqrt(in), 1 / sqrt(in)); B is zero, so that the model computes at first what it did.
 */
export function initializeFactors(
  gpu: Gpu,
  parameters: readonly (Parameter & FactorSpec)[],
  seed: number,
): void {
  parameters.forEach(({ part, count, shape: [, inFeatures], value }, index) => {
    if (part === 'A')
      gpu.write(value, 0, initialValues(count, { bound: 1 / Math.sqrt(inFeatures) }, seed, index))
  })
}

/** Swaps rows and columns. @param values f32 [rows, columns] */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column]
    }
  }
  return result
}

/** Values of factors as PEFT has them: B as [out, rank]. */
export function asSaved(
  specs: readonly FactorSpec[],
  values: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
): Map<string, Float32Array<ArrayBuffer>> {
  return new Map(
    specs.map(({ name, part, shape: [rank, width] }) => {
      const trained = values.get(name)!
      return [name, part === 'A' ? trained : transposed(trained, rank, width)]
    }),
  )
}

function mapState({
  shape: [rows, columns],
  parameter,
  firstMoment,
  secondMoment,
}: ParameterState): ParameterState {
  return {
    shape: [columns, rows],
    parameter: transposed(parameter, rows, columns),
    firstMoment: transposed(firstMoment, rows, columns),
    secondMoment: transposed(secondMoment, rows, columns),
  }
}

/** A state of factors with each B transposed: from how it is trained to how it is saved, and back. */
export function withTransposedB(
  specs: readonly FactorSpec[],
  state: ReadonlyMap<string, ParameterState>,
): Map<string, ParameterState> {
  const parts = new Map(specs.map(({ name, part }) => [name, part]))
  return new Map(
    [...state].map(([name, one]) => {
      const isB = parts.get(name) === 'B' && one.shape.length === 2
      const isWhole = one.parameter.length === one.shape[0] * one.shape[1]
      return [name, isB && isWhole ? mapState(one) : one]
    }),
  )
}
