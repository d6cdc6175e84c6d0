/// <reference lib="webworker" />

/** What a request asks for of a whole file: all of it, a range of its bytes, or only its headers. */
export async function partOf(whole: Response, request: Request): Promise<Response> {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('Range') ?? '')
  if (!range && request.method !== 'HEAD') return whole
  const blob = await whole.blob()
  const headers = new Headers({ 'Content-Type': blob.type, 'Accept-Ranges': 'bytes' })
  if (!range) {
    headers.set('Content-Length', String(blob.size))
    return new Response(null, { headers })
  }
  const start = Number(range[1])
  const end = Math.min(range[2] === '' ? blob.size : Number(range[2]) + 1, blob.size)
  if (start >= end) {
    headers.set('Content-Range', `bytes */${blob.size}`)
    return new Response(null, { status: 416, headers })
  }
  headers.set('Content-Range', `bytes ${start}-${end - 1}/${blob.size}`)
  headers.set('Content-Length', String(end - start))
  return new Response(blob.slice(start, end), { status: 206, headers })
}
