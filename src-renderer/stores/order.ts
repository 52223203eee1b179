import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch as watchValue } from 'vue'
import type { MethodInfo } from '#shared/contract/models.ts'
import type { WindowOrder } from '#shared/contract/runs.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { whyNot } from '#shared/domain/method.ts'
import { resolveParameters, type Parameter, type ParameterSchema, type ParameterValue, type ParameterValues } from '#shared/domain/parameters.ts'
import { call } from '../rpc.ts'
import { useHistory } from './history.ts'
import { useImages } from './images.ts'
import { useModels } from './models.ts'
import { useSession } from './session.ts'

/** So many models' layers are remembered. */
const mostCamLayers = 200

/** Why values will not do, by name. */
export function problemsOf(method: MethodInfo, values: ParameterValues): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    try {
      resolveParameters(method as ParameterSchema, { [name]: value })
    } catch (error) {
      found[name] = (error as Error).message
    }
  }
  return found
}

/** What the next run will be: target, method, parameters, seed. */
export const useOrder = defineStore('order', () => {
  const session = useSession()
  const models = useModels()
  const images = useImages()
  const history = useHistory()

  const methods = shallowRef<MethodInfo[]>([])
  const target = ref<number | 'auto'>('auto')
  const seed = ref(1)
  const preset = ref<string | null>(null)
  /** What was set by hand over the preset, per method, so that changing to and fro loses nothing. */
  const overrides = ref<Record<string, ParameterValues>>({})
  /** Why a text that was typed is no value, by the parameter's name; the value before it stands meanwhile. */
  const typed = ref<Record<string, string>>({})
  /** The last refusal of the main side, at its field. */
  const refusal = shallowRef<MaskscopeError | null>(null)

  const methodTitle = (id: string): string => methods.value.find((m) => m.id === id)?.title ?? id
  const method = computed(() => methods.value.find((m) => m.id === session.settings.method) ?? methods.value[0] ?? null)
  const own = computed<ParameterValues>(() => (method.value ? overrides.value[method.value.id] ?? {} : {}))
  const activePreset = computed(() => method.value?.presets.find((p) => p.id === preset.value) ?? method.value?.presets[0] ?? null)

  const parameters = computed(() => (method.value?.parameters ?? []) as readonly Parameter[])

  /** The preset's values over the defaults. */
  const base = computed<ParameterValues>(() => {
    if (!method.value) return {}
    const usual = resolveParameters(method.value as ParameterSchema, activePreset.value ? { preset: activePreset.value.id } : {})
    // What was chosen among the model's layers holds for every method that looks into one.
    for (const parameter of parameters.value) if (parameter.type === 'text' && parameter.kind === 'layer' && camLayer.value !== null) usual[parameter.name] = camLayer.value
    return usual
  })
  const values = computed<ParameterValues>(() => ({ ...base.value, ...own.value }))

  /** Why a value will not do, by the parameter's name. */
  const problems = computed<Record<string, string>>(() => {
    if (!method.value) return {}
    const found = { ...problemsOf(method.value, own.value), ...typed.value }
    const { subject, message } = refusal.value ?? {}
    if (subject !== undefined && message !== undefined && subject in values.value) found[subject] ??= message
    return found
  })

  /** One sentence, or null when the run can begin. */
  const hindrance = computed<string | null>(() => {
    const info = models.info
    if (!info) return 'Open a model first.'
    if (!images.current) return 'Open an image first.'
    if (!method.value) return 'There is no method.'
    const reason = whyNot(method.value, info, images.current.truth)
    if (reason !== null) return reason
    if (Object.keys(problems.value).length > 0) return 'A parameter has a value that will not do.'
    return null
  })

  const coming = ref(0)
  /** What another run was made with is on its way: a run begun now would not be the one that is meant. */
  const awaited = computed(() => coming.value > 0)

  /** @param take brings what the next run is to be */
  async function expect(take: () => Promise<void>): Promise<void> {
    coming.value++
    try {
      await take()
    } finally {
      coming.value--
    }
  }

  async function begin(): Promise<void> {
    methods.value = await call('methods.list', {})
  }

  function set(name: string, value: ParameterValue): void {
    const { [name]: _, ...rest } = own.value
    replace(value === base.value[name] ? rest : { ...rest, [name]: value }, `Change ${labelOf(name)}`)
  }

  /** @param problem null: it is right again */
  function complain(name: string, problem: string | null): void {
    const { [name]: _, ...rest } = typed.value
    typed.value = problem === null ? rest : { ...rest, [name]: problem }
  }

  /** Back to the preset's value. */
  function reset(name: string): void {
    const { [name]: _, ...rest } = own.value
    replace(rest, `Reset ${labelOf(name)}`)
  }

  function resetAll(): void {
    replace({}, 'Reset all parameters')
  }

  /** The layer that CAM methods take of this model; null: the usual one. */
  const camLayer = computed(() => (models.info ? session.settings.camLayers[models.info.sha256] ?? null : null))

  /** @param layer null: back to the usual one */
  function chooseCamLayer(layer: string | null): void {
    const sha256 = models.info?.sha256
    const before = camLayer.value
    if (sha256 === undefined || layer === before) return
    const put = (value: string | null): void => {
      const { [sha256]: _, ...others } = session.settings.camLayers
      // The latest last; of models that were not looked at for long nothing is kept.
      const kept = Object.entries(others).slice(1 - mostCamLayers)
      session.change({ camLayers: Object.fromEntries(value === null ? kept : [...kept, [sha256, value]]) })
    }
    put(layer)
    history.did({ title: 'Change the layer for CAM methods', undo: () => put(before), redo: () => put(layer) })
  }

  function choosePreset(id: string): void {
    const before = preset.value
    preset.value = id
    history.did({ title: 'Change preset', undo: () => void (preset.value = before), redo: () => void (preset.value = id) })
  }

  function chooseMethod(id: string): void {
    session.change({ method: id })
    preset.value = null
    typed.value = {}
  }

  let lastEdit: { title: string; at: number } | undefined
  /** Edits of one field in quick succession are undone together. */
  const together = 800

  function replace(next: ParameterValues, title: string): void {
    const id = method.value?.id
    if (id === undefined) return
    refusal.value = null
    const before = own.value
    overrides.value = { ...overrides.value, [id]: next }
    const now = performance.now()
    const goesOn = lastEdit?.title === title && now - lastEdit.at < together
    lastEdit = { title, at: now }
    if (goesOn) return
    history.did({
      title,
      undo: () => {
        // What was edited since belongs to the same deed.
        next = overrides.value[id] ?? {}
        overrides.value = { ...overrides.value, [id]: before }
        lastEdit = undefined
      },
      redo: () => void (overrides.value = { ...overrides.value, [id]: next }),
    })
  }

  function labelOf(name: string): string {
    return method.value?.parameters.find((p) => p.name === name)?.label ?? name
  }

  /** Takes over what a run was made with. */
  function adopt(from: { method: string; parameters: ParameterValues; seed: number; target: number | 'auto' }): void {
    const found = methods.value.find((m) => m.id === from.method)
    if (!found) return
    session.change({ method: from.method })
    const { preset: used, ...given } = from.parameters
    preset.value = typeof used === 'string' ? used : null
    const defaults = resolveParameters(found as ParameterSchema, typeof used === 'string' ? { preset: used } : {})
    overrides.value = { ...overrides.value, [from.method]: Object.fromEntries(Object.entries(given).filter(([name, value]) => defaults[name] !== value)) }
    seed.value = from.seed
    target.value = from.target
  }

  /** As it would be submitted, or null while something is missing. */
  const asOrder = computed<WindowOrder | null>(() => {
    if (!models.current || !images.current || !method.value) return null
    const layers = Object.fromEntries(method.value.parameters.filter((p) => p.type === 'text' && p.kind === 'layer').map(({ name }) => [name, values.value[name]!]))
    const parameters: ParameterValues = { ...(activePreset.value ? { preset: activePreset.value.id } : {}), ...layers, ...own.value }
    return { model: models.current.model, image: images.current.image, method: method.value.id, parameters, seed: seed.value, target: target.value }
  })

  /** @returns the run's id, or null where it was refused (then `refusal` says why) */
  async function submit(): Promise<string | null> {
    if (hindrance.value !== null || !asOrder.value) {
      refusal.value = new MaskscopeError('usage', hindrance.value ?? 'Something is missing.')
      return null
    }
    refusal.value = null
    try {
      return (await call('runs.submit', asOrder.value)).run
    } catch (error) {
      refusal.value = error as MaskscopeError
      return null
    }
  }

  // Another model has other classes.
  watchValue(() => models.info?.sha256, () => (target.value = 'auto'))

  return {
    methods, methodTitle, method, target, seed, preset, activePreset, parameters, base, own, values, problems, hindrance, refusal, asOrder, camLayer, awaited,
    begin, expect, set, complain, reset, resetAll, choosePreset, chooseMethod, chooseCamLayer, adopt, submit,
  }
})
