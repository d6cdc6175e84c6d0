import { InvalidArgumentError } from 'commander'

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/**
 * Makes a reader of an option's number.
 * @param accepts whether the number is in range
 * @param expected what is accepted, for the message
 */
export function number(accepts: (value: number) => boolean, expected: string): (text: string) => number {
  return (text) => {
    const value = NUMBER.test(text) ? Number(text) : Number.NaN
    if (!accepts(value)) throw new InvalidArgumentError(`Expected ${expected}.`)
    return value
  }
}

/** A reader of whole numbers from `low` up. */
export function wholeNumber(low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const expected = high === Number.MAX_SAFE_INTEGER ? `from ${low} up` : `from ${low} to ${high}`
  return number(
    (value) => Number.isSafeInteger(value) && value >= low && value <= high,
    `a whole number ${expected}`,
  )
}

/** A reader of one of a few numbers. */
export function oneOf<Value extends number>(...values: Value[]): (text: string) => Value {
  const read = number(
    (value) => values.includes(value as Value),
    values.join(', ').replace(/, (?=[^,]*$)/, ' or '),
  )
  return (text) => read(text) as Value
}
