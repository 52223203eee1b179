import { nextTick } from 'vue'
import { useCommands, type Command } from '../../stores/commands.ts'
import { useDialogs } from '../../stores/dialogs.ts'
import { useFiles } from '../../stores/files.ts'
import { useHistory } from '../../stores/history.ts'
import { useModels } from '../../stores/models.ts'
import { useSession } from '../../stores/session.ts'
import { nextTheme } from './theme.ts'
import { views, viewShown } from './views.ts'

/** Images are looked at there; its dialogs are there, too. */
function showExplain(then: () => void): void {
  viewShown.value = 'explain'
  void nextTick(then)
}

/** What can be done anywhere in the window. @returns what takes it away */
export function registerWindowCommands(): () => void {
  const dialogs = useDialogs()
  const files = useFiles()
  const history = useHistory()
  const models = useModels()
  const session = useSession()
  const commands: Command[] = [
    { id: 'open-image', title: 'Open an image', group: 'File', keys: ['Mod+O'], run: () => files.chooseAndOpen('image') },
    { id: 'open-data', title: 'Open a data set', group: 'File', run: () => showExplain(() => dialogs.show('data')) },
    { id: 'open-model', title: 'Open a model', group: 'File', keys: ['Mod+Shift+M'], run: () => files.chooseAndOpen('model') },
    { id: 'new-study', title: 'Begin a new study', group: 'File', run: () => dialogs.show('new-study') },
    { id: 'open-study', title: 'Open a study', group: 'File', run: () => files.chooseAndOpen('study') },
    {
      id: 'undo', title: 'Undo', group: 'Edit', keys: ['Mod+Z'], notInText: true, run: () => history.undo(),
      enabled: () => history.undoTitle !== null, why: () => 'There is nothing to undo.',
    },
    {
      id: 'redo', title: 'Redo', group: 'Edit', keys: ['Mod+Shift+Z', 'Mod+Y'], notInText: true, run: () => history.redo(),
      enabled: () => history.redoTitle !== null, why: () => 'Nothing was undone.',
    },
    ...views.map((view, i): Command => ({
      id: `view-${view.id}`, title: `Go to ${view.title}`, group: 'View', keys: [`Mod+${i + 1}`], run: () => void (viewShown.value = view.id),
    })),
    { id: 'settings', title: 'Settings', group: 'Edit', keys: ['Mod+,'], run: () => dialogs.show('settings') },
    { id: 'theme', title: 'Change the theme: system, light, dark', group: 'View', run: () => session.change({ theme: nextTheme(session.settings.theme) }) },
    {
      id: 'inspect-model', title: 'Inspect the model', group: 'View', run: () => dialogs.show('inspector'),
      enabled: () => models.info !== null, why: () => 'Open a model first.',
    },
    { id: 'palette', title: 'Commands', group: 'Help', keys: ['Mod+K'], run: () => (dialogs.open === 'palette' ? dialogs.close() : dialogs.show('palette')) },
    { id: 'shortcuts', title: 'Keyboard shortcuts', group: 'Help', keys: ['?'], onStage: true, run: () => dialogs.show('shortcuts') },
    { id: 'doctor', title: 'What it computes on', group: 'Help', run: () => dialogs.show('doctor') },
  ]
  return useCommands().register(commands)
}
