/**
 * A PCI address in the form of Linux, `0000:1b:00.0`, from that or from NVIDIA's, `00000000:1B:00.0`.
 * @returns undefined for what is none
 */
export function normalPci(text: string | undefined): string | undefined {
  const [, domain, rest] = /^([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(text ?? '') ?? []
  if (domain === undefined) return undefined
  return `${domain.replace(/^0+(?=.{4})/, '')}:${rest}`.toLowerCase()
}
