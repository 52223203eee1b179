import { compose, inPlace, pullBack, type Placement } from '../masks/compose.ts'
import { drawPlacement, sidesOf } from '../masks/sides.ts'
import { differentiatedScore, probabilityOf, regularise, worth, worthSlope } from './objective.ts'
import type { Probe, ProbeContext } from './probe.ts'

/** The exact gradient of the objective, from the classifier's own, at one placement and one fill. */
export function createGradientProbe(context: ProbeContext): Probe {
  const { frame, image, aim, parametrisation, growth } = context
  const sides = sidesOf(context.settings().mode)
  const size = image.length
  let own: Float32Array = new Float32Array(0)
  let place: Placement = inPlace
  let fill: Float32Array = image
  return {
    images: sides.length,
    scores: sides.map((side) => differentiatedScore(side, aim)),
    compose(u, out) {
      own = parametrisation.squash(parametrisation.smooth(u))
      const settings = context.settings()
      growth.next(settings.growth)
      const mask = parametrisation.enlarge(growth.show(own))
      place = drawPlacement(context.placements, settings.shift)
      fill = context.fill.next()
      sides.forEach((side, k) => compose(frame, image, mask, fill, side, place, out.subarray(k * size, (k + 1) * size)))
    },
    read(rows, gradients) {
      const maskGradient = new Float32Array(frame.height * frame.width)
      let value = 0
      sides.forEach((side, k) => {
        value += worth(rows[k]!, side, aim) / sides.length
        const factor = worthSlope(rows[k]!, side, aim) / sides.length
        pullBack(frame, image, fill, side, place, gradients!.subarray(k * size, (k + 1) * size), factor, maskGradient)
      })
      const slopes = growth.pullBack(parametrisation.shrink(maskGradient)).slice()
      const ownGradient = slopes.map((slope) => -slope)
      const terms = regularise(own, context.costs(), ownGradient)
      return {
        direction: parametrisation.pullBack(own, ownGradient, new Float32Array(own.length)),
        slopes,
        losses: { prediction: -value, ...terms, total: terms.area + terms.variation - value, probability: probabilityOf(rows[0]!, aim) },
        reacted: slopes.some((slope) => slope !== 0),
      }
    },
  }
}
