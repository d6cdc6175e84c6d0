/** Fetches one JSON file: the page itself may connect to no other server. */
addEventListener('message', async ({ data, ports: [port] }) => {
  try {
    const response = await fetch(data as string)
    if (!response.ok) throw new Error(`The server answered ${response.status} for ${response.url}.`)
    port.postMessage({ value: (await response.json()) as unknown })
  } catch (error) {
    port.postMessage({ problem: (error as Error).message })
  }
})
