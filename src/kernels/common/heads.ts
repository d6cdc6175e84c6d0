/** The shape of grouped-query attention: query head j reads key and value group floor(j * kvGroups / heads). */
export interface HeadShape {
  readonly heads: number
  readonly kvGroups: number
  /** Elements of a head; a multiple of 4. */
  readonly headDim: number
}
