import { isNode } from '../../platform/index.js'

/** How a hub is reached from here. */
export interface HubAccess {
  /** Where the hub is; undefined for the official one. */
  readonly endpoint: string | undefined
  /** What lets private and gated repositories be read. */
  readonly token: string | undefined
}

/**
 * What the environment says of hubs, by the variables of their own tools: `HF_ENDPOINT` and `HF_TOKEN` for Hugging Face,
 * `MODELSCOPE_DOMAIN` for ModelScope. Empty ones count as none; a page has no environment.
 */
export function hubEnvironment(hub: 'hf' | 'modelscope'): HubAccess {
  const variable = (name: string) => (isNode && process.env[name]?.trim()) || undefined
  if (hub === 'hf') {
    return {
      endpoint: variable('HF_ENDPOINT'),
      token: variable('HF_TOKEN') ?? variable('HUGGING_FACE_HUB_TOKEN'),
    }
  }
  const domain = variable('MODELSCOPE_DOMAIN')
  return { endpoint: domain && (/^https?:/.test(domain) ? domain : `https://${domain}`), token: undefined }
}
