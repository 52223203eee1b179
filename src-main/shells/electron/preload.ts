import { contextBridge, ipcRenderer, webUtils } from 'electron'
import type { BridgeAnswer, BridgeRequest, DesktopBridge } from './bridge.ts'

// This file runs in the window; the rest of its folder does not, so the types of the page are not at hand.
declare const window: { postMessage(message: unknown, targetOrigin: string, ports: readonly unknown[]): void; location: { origin: string } }

/** The whole of what the window can reach: asking for its port, and naming a file that the person dropped. */
const bridge: DesktopBridge = {
  connect(nonce) {
    void ask({ type: 'connect', nonce }).catch(() => undefined)
  },
  async give(file) {
    const answer = await ask({ type: 'give', path: webUtils.getPathForFile(file) })
    if (answer.file) return answer.file
    throw new Error(answer.message ?? 'The file could not be read.')
  },
}

function ask(request: BridgeRequest): Promise<BridgeAnswer> {
  return ipcRenderer.invoke('maskscope', request) as Promise<BridgeAnswer>
}

// The page knows its own message by the nonce and by its source, which is the page's own window.
ipcRenderer.on('maskscope:port', (event, nonce: unknown) => {
  if (typeof nonce === 'string') window.postMessage({ type: 'maskscope:port', nonce }, window.location.origin, [...event.ports])
})

contextBridge.exposeInMainWorld('maskscope', Object.freeze(bridge))
