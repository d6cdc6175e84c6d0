import { loadModel } from 'chatglm-webgpu'
import { type ChatServer, createServer } from 'chatglm-webgpu/server'

export async function serve(): Promise<ChatServer> {
  const server = await createServer(await loadModel('tiny'))
  console.log(await server.listen({ port: 0 }))
  return server
}
