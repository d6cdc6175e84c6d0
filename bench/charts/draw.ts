export async function drawReports(_reports: readonly unknown[], _folder: string): Promise<string[]> {
  return []
}
