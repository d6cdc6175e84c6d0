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
  // The entries must be taken before the event is over.
  const entries = [...items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null
    return entry ? [entry] : []
  })
  return (await Promise.all(entries.map(filesOfEntry))).flat()
}

/** Whether something that is dragged over the page has files. */
export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false
}
