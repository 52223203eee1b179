import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { ablationCam } from './ablation-cam.ts'
import { centerControl } from './center.ts'
import { createConsensus } from './consensus.ts'
import { deCam } from './de-cam.ts'
import { edgesControl } from './edges.ts'
import { extremalPerturbation } from './extremal-perturbation.ts'
import { gradCamPlusPlus } from './grad-cam-plus-plus.ts'
import { gradCam } from './grad-cam.ts'
import { gradient } from './gradient.ts'
import { guidedBackprop } from './guided-backprop.ts'
import { igosPlusPlus } from './igos-plus-plus.ts'
import { inputXGradient } from './input-x-gradient.ts'
import { integratedGradients } from './integrated-gradients.ts'
import { kernelShap } from './kernel-shap.ts'
import { layerCamMethod } from './layer-cam.ts'
import { lime } from './lime.ts'
import { lrp } from './lrp.ts'
import { meaningfulPerturbation } from './meaningful-perturbation.ts'
import type { Method } from './method.ts'
import { neuromask } from './neuromask.ts'
import { occlusion } from './occlusion.ts'
import { oracleControl } from './oracle.ts'
import { randomControl } from './random.ts'
import { randomSearch } from './random-search.ts'
import { rise } from './rise.ts'
import { scoreCam } from './score-cam.ts'
import { sensitivityMask } from './sensitivity-mask.ts'
import { smoothGrad } from './smoothgrad.ts'
import { uniformControl } from './uniform.ts'
import { varGrad } from './vargrad.ts'

/** Every method of the workbench, in the order in which it is offered: family by family. */
export const methods: readonly Method[] = [
  neuromask,
  sensitivityMask,
  deCam,
  meaningfulPerturbation,
  extremalPerturbation,
  igosPlusPlus,

  gradient,
  inputXGradient,
  smoothGrad,
  varGrad,
  integratedGradients,
  guidedBackprop,
  lrp,

  gradCam,
  gradCamPlusPlus,
  layerCamMethod,
  scoreCam,
  ablationCam,

  occlusion,
  rise,
  lime,
  kernelShap,
  randomSearch,

  createConsensus(findMethod),

  randomControl,
  uniformControl,
  centerControl,
  edgesControl,
  oracleControl,
]

/** @throws MaskscopeError 'usage' for an unknown id. */
export function findMethod(id: string): Method {
  const method = methods.find((candidate) => candidate.id === id)
  if (method) return method
  throw new MaskscopeError('usage', `There is no method "${id}"; choose one of ${methods.map((m) => m.id).join(', ')}.`, {
    subject: 'method',
  })
}

/** Whether a run's masked images, and the probability told of them, lack what its mask marks; false for a method that is not there. */
export function deletesMarked(id: string, parameters: ParameterValues): boolean {
  const { deletes } = methods.find((method) => method.id === id) ?? {}
  return typeof deletes === 'function' ? deletes(parameters) : deletes === true
}
