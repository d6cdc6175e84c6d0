/**
 * The script of the frame that tools run in. It starts a worker for the code it is given, passes its answer on, and
 * ends it after a time. The page's policy knows this text by its hash, so that nothing else can run inline.
 */
export const FRAME_SCRIPT = `
addEventListener('message', ({ data: { code, timeout }, ports: [port] }) => {
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })))
  const answer = (result) => { clearTimeout(timer); worker.terminate(); port.postMessage(result) }
  const timer = setTimeout(() => answer({ error: 'timeout' }), timeout)
  worker.onmessage = ({ data }) => answer(data)
  worker.onerror = (event) => answer({ error: event.message || 'error' })
}, { once: true })
`
