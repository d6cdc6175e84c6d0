/** The library's worker, whose GPU is lost when a message comes on a channel, as by a driver reset. */
import '../../../src/browser/worker/worker.js'

const request = GPUAdapter.prototype.requestDevice
GPUAdapter.prototype.requestDevice = async function (...options) {
  const device = await request.apply(this, options)
  new BroadcastChannel('take the GPU away').onmessage = () => device.destroy()
  return device
}
