function filesOfEntry(entry: FileSystemEntry): Promise<File[]> {
  return new Promise((resolve, reject) => {
    if (entry.isFile) {
      ;(entry as FileSystemFileEntry).file((file) => resolve([withPath(file, entry.fullPath)]), reject)
      return
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader()
    const found: FileSystemEntry[] = []
    const readOn = () =>
      reader.readEntries((batch) => {
        // A folder comes in batches; an empty one is the end.
        if (batch.length > 0) {
          found.push(...batch)
          readOn()
        } else Promise.all(found.map(filesOfEntry)).then((files) => resolve(files.flat()), reject)
      }, reject)
    readOn()
  })
}

/** A dropped file does not know its folder; one from a file input does. */
function withPath(file: File, fullPath: string): File {
  const path = fullPath.replace(/^\//, '')
  if (path.includes('/')) Object.defineProperty(file, 'webkitRelativePath', { value: path })
  return file
}

/** All files that were dropped, those in folders too. */
export async function droppedFiles({ items }: DataTransfer): Promise<File[]> {
  // All of them must be asked for before the event is over. What no file system knows is a file only.
  const found = [...items].map((item): Promise<File[]> => {
    if (item.kind !== 'file') return Promise.resolve([])
    const entry = item.webkitGetAsEntry()
    if (entry) return filesOfEntry(entry)
    const file = item.getAsFile()
    return Promise.resolve(file ? [file] : [])
  })
  return (await Promise.all(found)).flat()
}

/** Whether something that is dragged over the page has files. */
export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false
}
