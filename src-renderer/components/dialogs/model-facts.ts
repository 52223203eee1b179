import type { OpenModel } from '#shared/contract/models.ts'

const whole = new Intl.NumberFormat('en')

/** Everything that is known of a model, in words. */
export function modelFacts({ info, place, bundled }: OpenModel): [string, string][] {
  const { input, preprocessing: use } = info
  const per = (values: readonly number[]): string => values.map((value) => String(Number(value.toPrecision(6)))).join(', ')
  const fit = use.fit === 'squash' ? 'the whole picture is squashed to the input' : `central crop of ${Number((use.cropFraction * 100).toFixed(2))}% of the shorter side`
  return [
    ['Lies in', bundled ? 'comes with Maskscope' : place],
    ['Format', info.format],
    ['SHA-256', info.sha256],
    ['Input', `${input.height} × ${input.width} × ${input.channels}`],
    ['Classes', `${whole.format(info.classes)}, ${info.labels ? 'with labels' : 'without labels'}`],
    ['Its last layer gives', info.head],
    ['Access', info.access === 'gradient' ? 'gradient: every method' : 'query: methods that only ask for scores'],
    ['Pictures', fit],
    ['Resized by', use.resizeFilter],
    ['Value range', `${use.range[0]} to ${use.range[1]}`],
    ['Mean', per(use.mean)],
    ['Standard deviation', per(use.std)],
    ['Channel order', use.channelOrder.toUpperCase()],
    ['Parameters', whole.format(info.parameters)],
    ['Multiply-adds', info.multiplyAdds === null ? 'not known' : whole.format(info.multiplyAdds)],
  ]
}
