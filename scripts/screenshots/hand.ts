import type { Page } from 'playwright-core'

/** What a person does in the window, by the names that a person reads. */
export class Hand {
  constructor(readonly page: Page) {}

  async press(name: string | RegExp): Promise<void> {
    await this.page.getByRole('button', { name, exact: typeof name === 'string' }).first().click()
  }

  async key(keys: string): Promise<void> {
    await this.page.keyboard.press(keys)
  }

  /** By the palette. */
  async command(title: string): Promise<void> {
    await this.key('Control+k')
    await this.page.keyboard.type(title)
    await this.page.getByRole('dialog').getByRole('option').first().waitFor()
    await this.key('Enter')
  }

  async set(name: string, value: string): Promise<void> {
    const field = this.page.getByRole('spinbutton', { name, exact: true })
    await field.fill(value)
    await field.press('Enter')
  }

  async shown(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).waitFor()
  }

  /** The classifier has said what it sees. */
  async saysClasses(): Promise<void> {
    await this.page.getByRole('group', { name: 'Other classes the model sees' }).waitFor()
  }

  /** Begins a run, and waits until it has its row. */
  async run(): Promise<void> {
    const rows = this.page.locator('tr[data-run]')
    const before = await rows.count() > 0 ? await rows.first().getAttribute('data-run') : ''
    await this.press('Run')
    await this.page.waitForFunction((last) => (document.querySelector('tr[data-run]')?.getAttribute('data-run') ?? '') !== last, before)
  }

  /** The run on the stage has come so far. */
  async iteration(least: number): Promise<void> {
    await this.page.waitForFunction((wanted) => Number(document.querySelector('[aria-label="Iteration shown"]')?.getAttribute('aria-valuenow')) >= wanted, least)
  }

  async finished(patience = 60_000): Promise<void> {
    await this.page.locator('tr[data-run]').first().getByText('finished').waitFor({ timeout: patience })
    // Its numbers come after its state.
    await this.page.getByRole('button', { name: 'All of its provenance' }).waitFor()
    await this.page.waitForTimeout(300)
  }

  /** At a share of the first picture's width and height. */
  async point(x: number, y: number): Promise<void> {
    const box = await this.page.locator('.cell').first().boundingBox()
    if (box) await this.page.mouse.move(box.x + box.width * x, box.y + box.height * y)
  }

  /** To a share of the run. */
  async scrub(share: number): Promise<void> {
    const box = await this.page.getByRole('slider', { name: 'Iteration shown' }).boundingBox()
    if (box) await this.page.mouse.click(box.x + Math.min(box.width - 1, box.width * share), box.y + box.height / 2)
  }

  /** With the menu of what is shown open. */
  async display(change: () => Promise<void>): Promise<void> {
    await this.page.getByRole('button', { name: 'Display of map and masked input' }).click()
    await change()
    await this.key('Escape')
  }

  async choose(field: string, option: string): Promise<void> {
    await this.page.getByRole('combobox', { name: field }).click()
    await this.page.getByRole('option', { name: option }).click()
  }

  /** Through folders to a file of the chooser; the last of the path may be a folder to stop in. */
  async find(keys: string, ...path: readonly string[]): Promise<void> {
    await this.key(keys)
    // It begins where the last file was found.
    await this.page.getByRole('button', { name: 'Places' }).click()
    for (const name of path) {
      await this.page.getByRole('listbox', { name: 'Files' }).getByRole('option', { name }).first().dblclick()
      await this.page.waitForTimeout(150)
    }
  }

  async stopAll(): Promise<void> {
    for (;;) {
      const row = this.page.locator('tr[data-run]').filter({ hasText: /queued|running|paused|%/ }).first()
      if (await row.count() === 0) return
      await row.click()
      await this.key('Control+.')
      await this.page.waitForTimeout(300)
    }
  }

  async dragFileOver(over: boolean): Promise<void> {
    await this.page.evaluate((on) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['x'], 'photo.png', { type: 'image/png' }))
      document.body.dispatchEvent(new DragEvent(on ? 'dragenter' : 'dragleave', { bubbles: true, cancelable: true, dataTransfer, relatedTarget: null }))
    }, over)
  }
}
