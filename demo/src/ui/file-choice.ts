interface FileChoice {
  readonly accept?: string
  readonly folder?: boolean
  readonly multiple?: boolean
}

/** Lets the user choose files or a folder. @returns none when the choice was given up */
export function chooseFiles({ accept, folder = false, multiple = false }: FileChoice): Promise<File[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input')
    input.type = 'file'
    input.multiple = multiple
    input.webkitdirectory = folder
    if (accept) input.accept = accept
    input.addEventListener('change', () => resolve([...(input.files ?? [])]))
    input.addEventListener('cancel', () => resolve([]))
    input.click()
  })
}

/** Gives the user a file to keep. */
export function saveFile(name: string, content: BlobPart, type = 'application/json'): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([content], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
