import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { loadModel } from '#services/models.ts'
import { accuracies, pairedRenders } from './paired-renders.ts'

const first = 2_000_000
const scenes = 2000

/** What the bundled classifier and its judge score, and the proof by paired renders that the object decides. */
export async function measure(): Promise<string> {
  await selectBackend('wasm')
  const names = ['demo', 'demo-judge']
  const classifiers = await Promise.all(names.map(async (name) => loadClassifier((await loadModel(name)).source)))
  const proofs = await pairedRenders(classifiers, first, scenes)
  const shifted = await accuracies(classifiers, first, scenes, 'scenes-shifted')
  const rows = classifiers.map(({ info: { parameters, multiplyAdds } }, k) => {
    const proof = proofs[k]!
    return [
      names[k], parameters.toLocaleString('en'), `${((multiplyAdds ?? 0) / 1e6).toFixed(1)} M`, percent(proof.right), percent(shifted[k]!),
      percent(proof.needsObject), percent(proof.keepsOnOtherBackground), percent(proof.distractorsAlone),
      percent(proof.distractorsSayNothing), percent(proof.restSaysNothing),
    ].join(' | ')
  })
  for (const classifier of classifiers) classifier.dispose()
  return [
    `Scenes ${first} to ${first + scenes - 1}; shares in percent. Top-1 on \`scenes\` and \`scenes-shifted\`. Then paired renders of the`,
    'same scenes: without its object, p(class) below .2 (of the scenes classified rightly); with the object on another background,',
    'the same top class (of these too); the distractors alone, on one colour, p(class) at most .2 (of these too). The last two',
    'columns ask for more, of all scenes: no class at all above .2, of the distractors alone and of the scene without its object.',
    '',
    '| model | parameters | multiply-adds | top-1 | top-1 shifted | needs object | other background | distractors alone | distractors, any class | without object, any class |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n')
}

function percent(share: number): string {
  return (100 * share).toFixed(1)
}
