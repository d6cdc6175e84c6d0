/** How torch fills a new parameter: `nn.Embedding` with N(0, 1), `nn.Linear` with U(-bound, bound). */
export type Initialization = { readonly normal: true } | { readonly bound: number }

/** sfc32, "small fast counting" of Chris Doty-Humphrey's PractRand: 32 random bits a call, 128 bits of state. */
function sfc32(a: number, b: number, c: number): () => number {
  let counter = 1
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // As many as its author takes before the state is mixed.
  for (let i = 0; i < 12; i++) next()
  return next
}

/**
 * The initial values of a parameter. They depend on the seed and on the parameter's number alone. Normal numbers come in
 * pairs by the method of Box and Muller.
 * @param seed a whole number; its lower 32 bits and those above count
 * @param index number of the parameter in its model
 */
export function initialValues(
  count: number,
  initialization: Initialization,
  seed: number,
  index: number,
): Float32Array<ArrayBuffer> {
  const next = sfc32(seed | 0, Math.floor(seed / 2 ** 32) | 0, index)
  // In (0, 1), so that its logarithm is finite.
  const uniform = () => (next() + 0.5) / 2 ** 32
  const values = new Float32Array(count)
  if ('bound' in initialization) {
    for (let i = 0; i < count; i++) values[i] = initialization.bound * (2 * uniform() - 1)
    return values
  }
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()))
    const angle = 2 * Math.PI * uniform()
    values[i] = radius * Math.cos(angle)
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle)
  }
  return values
}
