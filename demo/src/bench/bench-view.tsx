export function BenchView() {
  return null
}
