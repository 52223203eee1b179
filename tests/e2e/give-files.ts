import type { Page } from 'playwright-core'

export interface Given {
  name: string
  bytes: Uint8Array
  /** As the system tells it; pictures need it for being pasted. */
  type?: string
}

/** As a person does it: over the window, then let go. Files of a folder are given loosely, for a page cannot make up a folder. */
export async function dropFiles(page: Page, files: readonly Given[]): Promise<void> {
  await give(page, files, 'drop')
}

/** From the clipboard. */
export async function pasteFiles(page: Page, files: readonly Given[]): Promise<void> {
  await give(page, files, 'paste')
}

async function give(page: Page, files: readonly Given[], how: 'drop' | 'paste'): Promise<void> {
  const sent = files.map(({ name, bytes, type = '' }) => ({ name, type, text: Buffer.from(bytes).toString('base64') }))
  await page.evaluate(({ sent, how }) => {
    const transfer = new DataTransfer()
    for (const { name, type, text } of sent) {
      transfer.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name, { type }))
    }
    const options = { bubbles: true, cancelable: true, composed: true }
    const events = how === 'paste' ? [new ClipboardEvent('paste', { ...options, clipboardData: transfer })]
      : ['dragenter', 'dragover', 'drop'].map((name) => new DragEvent(name, { ...options, dataTransfer: transfer }))
    for (const event of events) document.body.dispatchEvent(event)
  }, { sent, how })
}
