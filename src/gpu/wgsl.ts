/** A number is written as `u32` when listed under `u32`, as `f32` under `f32`; a boolean becomes a `const bool`. */
export interface Specialization {
  /** Language extensions, for example `f16`, `subgroups`. */
  readonly enable?: readonly string[]
  readonly u32?: Readonly<Record<string, number>>
  readonly f32?: Readonly<Record<string, number>>
  readonly bool?: Readonly<Record<string, boolean>>
  /** Type aliases, for example `{ Element: 'f16' }`. */
  readonly alias?: Readonly<Record<string, string>>
}

function floatLiteral(value: number): string {
  const text = String(Math.fround(value))
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`
}

/**
 * Puts a generated prelude of constants and aliases before WGSL modules.
 *
 * Constants (rather than `override`) because array sizes and aliases depend on them too,
 * and because a driver then unrolls the loops over them.
 */
export function specialize(modules: readonly string[], specialization: Specialization): string {
  const { enable = [], u32 = {}, f32 = {}, bool = {}, alias = {} } = specialization
  const lines = [
    ...enable.map((name) => `enable ${name};`),
    ...Object.entries(u32).map(([name, value]) => `const ${name}: u32 = ${value}u;`),
    ...Object.entries(f32).map(([name, value]) => `const ${name}: f32 = ${floatLiteral(value)};`),
    ...Object.entries(bool).map(([name, value]) => `const ${name}: bool = ${value};`),
    ...Object.entries(alias).map(([name, type]) => `alias ${name} = ${type};`),
  ]
  return `${lines.join('\n')}\n\n${modules.join('\n')}`
}
