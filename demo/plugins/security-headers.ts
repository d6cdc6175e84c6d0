import { createHash } from 'node:crypto'
import type { Connect, Plugin } from 'vite'
import { pagePolicy, SECURITY_HEADERS, workerPolicy } from '../src/service-worker/policy.js'
import { FRAME_SCRIPT } from '../src/tools/sandbox-frame.js'

/**
 * Puts the policy into the page, and sends it with every answer of `vite preview`. Workers have a policy of their
 * own, which must let downloads through where no service worker narrows it down.
 */
export function securityHeaders(): Plugin {
  const hash = `sha256-${createHash('sha256').update(FRAME_SCRIPT).digest('base64')}`
  const policy = pagePolicy([hash])
  const send: Connect.NextHandleFunction = (request, response, next) => {
    const isWorker = /\/(assets\/[^/]*worker[^/]*|sw)\.js$/.test(request.url?.split('?')[0] ?? '')
    // Only a header can forbid others to put the page into a frame.
    const page = `${policy}; frame-ancestors 'none'`
    response.setHeader('Content-Security-Policy', isWorker ? workerPolicy(['https:', 'http:']) : page)
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    next()
  }
  return {
    name: 'security-headers',
    configurePreviewServer: (server) => {
      server.middlewares.use(send)
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { server }) =>
        // The development server needs inline scripts.
        server
          ? []
          : [
              {
                tag: 'meta',
                attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
                injectTo: 'head-prepend' as const,
              },
            ],
    },
  }
}
