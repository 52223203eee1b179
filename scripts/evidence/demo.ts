import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { loadModel } from '#services/models.ts'
import { accuracy, pairedRenders } from './paired-renders.ts'

const first = 2_000_000
const scenes = 2000

/** What the bundled classifier and its judge score, and the proof by paired renders that the object decides. */
export async function measure(): Promise<string> {
  await selectBackend('wasm')
  const rows: string[] = []
  for (const name of ['demo', 'demo-judge']) {
    const { source } = await loadModel(name)
    const classifier = await loadClassifier(source)
    const proof = await pairedRenders(classifier, first, scenes)
    const shifted = await accuracy(classifier, first, scenes, 'scenes-shifted')
    const { parameters, multiplyAdds } = classifier.info
    rows.push(
      [
        name, parameters.toLocaleString('en'), `${((multiplyAdds ?? 0) / 1e6).toFixed(1)} M`, percent(proof.right), percent(shifted),
        percent(proof.needsObject), percent(proof.keepsOnOtherBackground), percent(proof.distractorsAlone),
        percent(proof.distractorsSayNothing), percent(proof.restSaysNothing),
      ].join(' | '),
    )
    classifier.dispose()
  }
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
