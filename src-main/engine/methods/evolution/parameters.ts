import type { Parameter, ParameterSchema, ParameterValues, Preset } from '#shared/domain/parameters.ts'
import { fillBlurParameter, mapBlurParameter, scoreParameter } from '../common/parameters.ts'
import { leastPopulation } from './evolution.ts'

/** The values of our preset, which are also every parameter's default. */
const ours = {
  strategy: 'l-shade',
  genotype: 'segments',
  resolution: 8,
  hills: 3,
  segments: 20,
  compactness: 10,
  queries: 4000,
  islands: 4,
  population: 32,
  mode: 'dual',
  score: 'log-probability',
  'area-weight': 3,
  'variation-weight': 0,
  fill: 'drawn',
  'fill-blur': 10,
  redraw: 0,
  averaging: 0.5,
  elite: 1,
  'map-blur': 0,
} satisfies ParameterValues

const presets: readonly Preset[] = [
  {
    id: 'maskscope',
    title: 'Maskscope',
    source: 'Ours: segments of the image as genes, on islands; tuned on scenes (docs/methods.md).',
    values: ours,
  },
  {
    id: 'our-reading',
    title: 'Our reading',
    source: 'Our reading of the abstract: a grid of 8×8 cells, kept and removed; no code was released.',
    values: {
      ...ours, genotype: 'cells', queries: 8000, islands: 1, population: 64, mode: 'dual', score: 'probability', 'area-weight': 0.2,
      fill: 'mean', averaging: 0.25, elite: 0.2,
    },
  },
  {
    id: 'gaussians',
    title: 'Three Gaussians',
    source: 'Ours, blind to the edges of the image: three elliptic hills over the mean colour.',
    values: { ...ours, genotype: 'gaussians', islands: 1, population: 64, mode: 'preserve', fill: 'mean' },
  },
]

const strategy: Parameter = {
  type: 'choice', name: 'strategy', label: 'Strategy', group: 'Evolution',
  help: 'How trials are made: L-SHADE learns its two factors and shrinks its population; rand/1/bin is the classic with F 0.5 and CR 0.9.',
  default: ours.strategy, options: [{ value: 'l-shade', label: 'L-SHADE' }, { value: 'rand-1-bin', label: 'DE/rand/1/bin' }],
}

const redraw: Parameter = {
  type: 'number', name: 'redraw', label: 'Generations per fill', group: 'Fill',
  help: 'A drawn fill is replaced after so many generations, and the parents are judged again; 0 keeps one for each island.',
  default: ours.redraw, min: 0, max: 1000, step: 1, integer: true, unit: 'generations',
}

const averaging: Parameter = {
  type: 'number', name: 'averaging', label: 'Averaged part', group: 'Map',
  help: 'The map is the mean of the populations over this last part of the queries; 0 takes the last one alone.',
  default: ours.averaging, min: 0, max: 1, step: 0.05,
}

function elite(fallback: number, help: string): Parameter {
  return { type: 'number', name: 'elite', label: 'Best share', group: 'Map', help, default: fallback, min: 0.001, max: 1, step: 0.01 }
}

/** What random search has too, since it draws the same individuals and judges them alike. */
const shared: readonly Parameter[] = [
  {
    type: 'choice', name: 'genotype', label: 'Individuals', group: 'Individuals', common: true,
    help: 'What an individual is: a value for each segment of the image, a grid of cells, or a few elliptic hills.',
    default: ours.genotype,
    options: [{ value: 'segments', label: 'Segments of the image' }, { value: 'cells', label: 'Grid of cells' }, { value: 'gaussians', label: 'Gaussian hills' }],
  },
  {
    type: 'number', name: 'segments', label: 'Segments', group: 'Individuals',
    help: 'About how many segments the first island has; the others have 1.5, 2 and 3 times as many in turn.',
    default: ours.segments, min: 4, max: 1000, step: 1, integer: true, logarithmic: true, tune: { min: 15, max: 60 },
  },
  {
    type: 'number', name: 'compactness', label: 'Compactness', group: 'Individuals',
    help: 'How much place counts against colour in the segments: large values give squares.',
    default: ours.compactness, min: 0.1, max: 100, step: 0.1, logarithmic: true, tune: { min: 5, max: 20 },
  },
  {
    type: 'number', name: 'resolution', label: 'Cells', group: 'Individuals',
    help: 'Cells of the grid along the shorter side, enlarged by exact interpolation.',
    default: ours.resolution, min: 2, max: 64, step: 1, integer: true, unit: 'cells',
  },
  {
    type: 'number', name: 'hills', label: 'Hills', group: 'Individuals',
    help: 'Elliptic hills of which a mask is the highest.',
    default: ours.hills, min: 1, max: 16, step: 1, integer: true,
  },
  {
    type: 'number', name: 'queries', label: 'Queries', group: 'Evolution', common: true,
    help: 'Images that the search may send through the classifier, for all islands together.',
    default: ours.queries, min: 16, max: 1_000_000, step: 1, integer: true, logarithmic: true,
  },
  {
    type: 'number', name: 'islands', label: 'Islands', group: 'Evolution', common: true,
    help: 'Independent searches that share the queries, each with its own fill, segments and random numbers; the map is their mean.',
    default: ours.islands, min: 1, max: 64, step: 1, integer: true, tune: { values: [2, 4, 8] },
  },
  {
    type: 'number', name: 'population', label: 'Population', group: 'Evolution',
    help: 'Individuals of an island at the start; in L-SHADE 8 are left at the end.',
    default: ours.population, min: leastPopulation, max: 1000, step: 1, integer: true, logarithmic: true,
  },
  {
    type: 'choice', name: 'mode', label: 'Mode', group: 'Fitness', common: true,
    help: 'Keep the score with what the mask marks, lose it without, or the difference of the two, at two queries each.',
    default: ours.mode,
    options: [{ value: 'preserve', label: 'Preserve' }, { value: 'delete', label: 'Delete' }, { value: 'dual', label: 'Dual' }],
    tune: { values: ['dual', 'preserve'] },
  },
  scoreParameter('log-probability'),
  {
    type: 'number', name: 'area-weight', label: 'Price of area', symbol: 'λ_area', group: 'Fitness', common: true,
    help: 'What the whole image as a mask costs, in units of the score: logits of large networks want more than log-probabilities.',
    default: ours['area-weight'], min: 0, max: 1000, step: 0.01, logarithmic: true, tune: { min: 1, max: 10 },
  },
  {
    type: 'number', name: 'variation-weight', label: 'Price of variation', symbol: 'λ_tv', group: 'Fitness',
    help: 'Weight of the mean differences between neighbours of the mask.',
    default: ours['variation-weight'], min: 0, max: 1000, step: 0.01, logarithmic: true,
  },
  {
    type: 'choice', name: 'fill', label: 'Fill', group: 'Fill', common: true,
    help: 'What stands where the mask hides the image. Textures are drawn in its mean colour.',
    default: ours.fill,
    options: [
      { value: 'drawn', label: 'Another texture for each island' },
      { value: 'zero', label: 'Black' },
      { value: 'mean', label: 'Mean colour of the image' },
      { value: 'blur', label: 'The image, blurred' },
      { value: 'noise', label: 'Uniform noise' },
    ],
    tune: { values: ['drawn', 'mean'] },
  },
  fillBlurParameter,
  mapBlurParameter(0, 2),
]

export const deCamSchema: ParameterSchema = {
  parameters: [
    strategy, ...shared, redraw, averaging,
    elite(ours.elite, 'Share of a population, from the best, whose rank-weighted mean counts in the map.'),
  ],
  presets,
}

/** Share of the draws that make the control's map. */
const bestDraws = 0.0625

export const randomSearchSchema: ParameterSchema = {
  parameters: [...shared, elite(bestDraws, 'Share of all individuals, from the best, whose rank-weighted mean is the map.')],
  presets: presets.map(({ values, ...preset }): Preset => {
    const { strategy: _strategy, redraw: _redraw, averaging: _averaging, ...rest } = values
    return { ...preset, values: { ...rest, elite: bestDraws } }
  }),
}
