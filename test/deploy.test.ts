/** The examples of deployment are true to the server: routes, options, ports and limits. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { testServer } from '../src/server/testing/serve.js'

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number }
}

interface Deployment {
  readonly kind: string
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly containers: readonly (Readonly<
          Record<'startupProbe' | 'readinessProbe' | 'livenessProbe', Probe>
        > & {
          readonly args: readonly string[]
          readonly ports: readonly { readonly containerPort: number }[]
        })[]
      }
    }
  }
}

const documents = parseAllDocuments(readFileSync('examples/deploy/kubernetes.yaml', 'utf8'))
const deployment = documents[0].toJS() as Deployment
const nginx = readFileSync('examples/deploy/nginx.conf', 'utf8')

describe('the manifest for Kubernetes', async () => {
  const server = await testServer()
  const { metadata, spec } = deployment.spec.template
  const [container] = spec.containers

  it('is read without a fault', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([])
    expect(documents.map((one) => (one.toJS() as Deployment).kind)).toEqual([
      'Deployment',
      'Service',
      'Ingress',
    ])
  })

  it('probes and scrapes routes that are there, on the port of the server', async () => {
    const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe]
    const paths = [...probes.map(({ httpGet }) => httpGet.path), metadata.annotations['prometheus.io/path']]
    for (const path of paths) expect((await server.get(path)).status).toBe(200)
    const ports = [
      ...probes.map(({ httpGet }) => httpGet.port),
      Number(metadata.annotations['prometheus.io/port']),
    ]
    expect(new Set([...ports, container.ports[0].containerPort])).toEqual(new Set([8000]))
  })

  it('starts the server with options that it has, and leaves it the time it asks for', () => {
    const serve = readFileSync('src/cli/serve.ts', 'utf8')
    const [command, , ...options] = container.args
    expect(command).toBe('serve')
    for (const option of options.filter((one) => one.startsWith('--')))
      expect(serve).toContain(`'${option} <`)
    const grace = Number(options[options.indexOf('--grace') + 1])
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(grace + 5)
  })
})

describe('both ways behind a balancer', () => {
  it('keep a conversation together by a header, pass events on, and take bodies as large as the server takes', () => {
    const { annotations = {} } = (documents[2].toJS() as Deployment).metadata
    const of = (name: string) => annotations[`nginx.ingress.kubernetes.io/${name}`]
    expect(of('upstream-hash-by')).toBe('$http_x_session_id')
    expect(nginx).toMatch(/hash \$conversation consistent/)
    expect(nginx).toContain('$http_x_session_id')
    expect([of('proxy-buffering'), of('proxy-body-size')]).toEqual(['off', '4m'])
    expect(nginx).toContain('proxy_buffering off;')
    expect(nginx).toContain('client_max_body_size 4m;')
  })
})
