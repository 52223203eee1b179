import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch as watchValue } from 'vue'
import type { Output } from '#shared/contract/define.ts'
import type { reconstructions as contract, ReconstructionData, WindowReconstructionOrder } from '#shared/contract/reconstruction.ts'
import type { FileEntry } from '#shared/contract/system.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { whyNot } from '#shared/domain/method.ts'
import { resolveParameters, type Parameter, type ParameterSchema, type ParameterValue, type ParameterValues } from '#shared/domain/parameters.ts'
import { call } from '../rpc.ts'
import { useMetrics } from './metrics.ts'
import { useModels } from './models.ts'
import { problemsOf, useOrder } from './order.ts'
import { useReconstructions } from './reconstruction.ts'

type DataFacts = Output<(typeof contract.calls)['reconstructions.data']>

/** A form of parameters: what was set by hand, and why a value will not do. */
function useForm(schema: () => ParameterSchema | null, usual: () => ParameterValues = () => ({})) {
  const own = ref<ParameterValues>({})
  const typed = ref<Record<string, string>>({})
  const base = computed<ParameterValues>(() => (schema() ? resolveParameters(schema()!, usual()) : {}))
  const known = computed(() => Object.fromEntries(Object.entries(own.value).filter(([name]) => name in base.value)))
  const values = computed<ParameterValues>(() => ({ ...base.value, ...known.value }))
  const problems = computed<Record<string, string>>(() => (schema() ? { ...problemsOf(schema() as never, known.value), ...typed.value } : {}))
  function without(name: string): ParameterValues {
    const { [name]: _, ...rest } = own.value
    return rest
  }
  return {
    own, base, known, values, problems,
    set: (name: string, value: ParameterValue): void => void (own.value = value === base.value[name] ? without(name) : { ...own.value, [name]: value }),
    reset: (name: string): void => void (own.value = without(name)),
    complain(name: string, problem: string | null): void {
      const { [name]: _, ...rest } = typed.value
      typed.value = problem === null ? rest : { ...rest, [name]: problem }
    },
    clear(): void {
      own.value = {}
      typed.value = {}
    },
  }
}

/** Small enough to see the objects come out in a few minutes. */
const demo = { images: 320, test: 60, epochs: 10, batch: 8 } as const

/** What the next reconstruction will be made of. */
export const useReconstructionOrder = defineStore('reconstruction-order', () => {
  const models = useModels()
  const metrics = useMetrics()
  const order = useOrder()
  const reconstructions = useReconstructions()

  const kind = ref<ReconstructionData['kind']>('scenes')
  const place = shallowRef<FileEntry | null>(null)
  const facts = shallowRef<DataFacts | null>(null)
  const reading = ref(false)
  /** To learn from; null: all there are. */
  const images = ref<number | null>(2000)
  /** That the report is made on. */
  const test = ref(1000)
  const methodId = ref('')
  const seed = ref(1)
  const parameters = shallowRef<readonly Parameter[]>([])
  /** The method taken unless another is chosen, and what methods are set to for whole data sets. */
  const usual = shallowRef<Pick<Output<(typeof contract.calls)['reconstructions.settings']>, 'method' | 'quick'>>({ method: '', quick: { any: {}, black: {} } })
  /** Of the pictures that the generator makes. */
  const generatorSize = shallowRef<{ height: number; width: number; channels: number } | null>(null)
  const refusal = shallowRef<MaskscopeError | null>(null)
  const starting = ref(false)

  const method = computed(() => order.methods.find(({ id }) => id === methodId.value) ?? null)
  const settings = useForm(() => ({ parameters: parameters.value, presets: [] }))
  /** Defaults are meant for one image at a time; for whole data sets other values are usual. */
  const ofMethod = useForm(() => method.value as ParameterSchema | null, () => usual.value.quick[facts.value?.ground ?? 'any'][methodId.value] ?? {})

  const data = computed<ReconstructionData | null>(() => {
    if (kind.value === 'scenes') return { kind: 'scenes' }
    return place.value === null ? null : { kind: kind.value, place: place.value.handle }
  })

  /** Generators for other pictures have other defaults. */
  async function begin(): Promise<void> {
    const answer = await call('reconstructions.settings', { model: models.current?.model ?? null })
    parameters.value = answer.parameters as readonly Parameter[]
    generatorSize.value = answer.size
    usual.value = answer
    if (methodId.value === '') chooseMethod(answer.method)
  }

  function chooseMethod(id: string): void {
    methodId.value = id
    ofMethod.clear()
  }

  let asked = 0
  /** Looks at the data that is chosen; never rejects. @param again the data are the same, and the number of images stays */
  async function look(again = false): Promise<void> {
    const turn = ++asked
    facts.value = null
    if (refusal.value?.subject === 'data') refusal.value = null
    if (data.value === null || data.value.kind === 'scenes') return
    reading.value = true
    try {
      const found = await call('reconstructions.data', { data: data.value, model: models.current?.model ?? null })
      if (turn !== asked) return
      facts.value = found
      if (!again) images.value = found.train === null ? images.value : Math.min(found.train, 10_000)
    } catch (error) {
      if (turn === asked) refusal.value = new MaskscopeError((error as MaskscopeError).code, (error as Error).message, { subject: 'data' })
    } finally {
      if (turn === asked) reading.value = false
    }
  }

  function chooseKind(next: ReconstructionData['kind']): void {
    // A list is a file, everything else a folder.
    if ((next === 'list') !== (kind.value === 'list')) place.value = null
    kind.value = next
    if (next === 'scenes') images.value = 2000
    void look()
  }

  function choosePlace(entry: FileEntry, as: ReconstructionData['kind'] = kind.value): void {
    kind.value = as
    place.value = entry
    void look()
  }

  /** What was dropped, as what it looks like. */
  async function takeFolder(folder: FileEntry): Promise<void> {
    try {
      const { kind: found } = await call('reconstructions.kindOf', { place: folder.handle })
      choosePlace(folder, found)
    } catch (error) {
      refusal.value = new MaskscopeError((error as MaskscopeError).code, (error as Error).message, { subject: 'data' })
    }
  }

  const problems = computed<Record<string, string>>(() => {
    const { subject, message } = refusal.value ?? {}
    return { ...settings.problems.value, ...ofMethod.problems.value, ...(subject !== undefined && message !== undefined ? { [subject]: message } : {}) }
  })

  /** One sentence, or null when it can begin. */
  const hindrance = computed<string | null>(() => {
    if (!models.info) return 'Open a model first.'
    if (data.value === null) return 'Choose the data first.'
    if (!method.value) return 'There is no method.'
    const reason = whyNot(method.value, models.info, false)
    if (reason !== null) return reason
    if (Object.keys(settings.problems.value).length + Object.keys(ofMethod.problems.value).length > 0) return 'A value will not do.'
    return reading.value ? 'The data is being looked at.' : null
  })

  /** As it would be started, or null while something is missing. */
  const asOrder = computed<WindowReconstructionOrder | null>(() => {
    if (!models.current || data.value === null || !method.value) return null
    return {
      data: data.value, images: images.value, test: test.value, model: models.current.model, judge: metrics.judge?.model ?? null,
      method: method.value.id, parameters: { ...ofMethod.values.value }, settings: { ...settings.known.value }, seed: seed.value,
    }
  })

  /** Never rejects: what went wrong stands in `refusal`. */
  async function start(): Promise<void> {
    if (starting.value) return
    if (hindrance.value !== null || !asOrder.value) {
      refusal.value = new MaskscopeError('usage', hindrance.value ?? 'Something is missing.')
      return
    }
    refusal.value = null
    starting.value = true
    try {
      const { reconstruction } = await call('reconstructions.start', asOrder.value)
      reconstructions.select(reconstruction)
      reconstructions.tab = 'training'
    } catch (error) {
      refusal.value = error as MaskscopeError
    } finally {
      starting.value = false
    }
  }

  /** The bundled classifiers on scenes, in one click. */
  async function startDemo(): Promise<void> {
    starting.value = true
    await Promise.all([
      models.current ? null : models.open({ bundled: models.bundled[0]?.name ?? 'demo' }),
      metrics.judge ? null : metrics.openJudge({ bundled: 'demo-judge' }),
    ])
    chooseKind('scenes')
    images.value = demo.images
    test.value = demo.test
    chooseMethod(usual.value.method)
    settings.clear()
    for (const name of ['epochs', 'batch'] as const) settings.set(name, demo[name])
    starting.value = false
    await start()
  }

  watchValue(() => models.current?.model, () => {
    void begin().catch((error: unknown) => (refusal.value = error as MaskscopeError))
    // What a model sees of the pictures tells what they stand on.
    void look(true)
  })

  return {
    kind, place, facts, reading, images, test, methodId, method, seed, parameters, generatorSize, refusal, starting, settings, ofMethod, data, problems, hindrance, asOrder,
    begin, chooseMethod, chooseKind, choosePlace, takeFolder, start, startDemo,
  }
})
