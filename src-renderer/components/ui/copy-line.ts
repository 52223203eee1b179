import { useNotices } from '../../stores/notices.ts'
import { copyText } from './copy.ts'

/** Letters of a command that a notice shows; one of many images is longer than a window. */
const mostShown = 600

/** Puts a command on the clipboard, and says so. @param ask for the line */
export async function copyLine(ask: () => Promise<{ command: string }>): Promise<void> {
  const notices = useNotices()
  try {
    const { command } = await ask()
    if (await copyText(command)) notices.say(`Copied: ${command.length > mostShown ? `${command.slice(0, mostShown)} …` : command}`)
    else notices.fail(new Error(`The clipboard cannot be written here. Copy the line from this notice:\n${command}`))
  } catch (error) {
    notices.fail(error)
  }
}
