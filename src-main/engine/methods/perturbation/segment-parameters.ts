import type { Parameter } from '#shared/domain/parameters.ts'

/** How LIME and KernelSHAP cut the image, and what stands where a segment is hidden. */
export const segmentParameters: readonly Parameter[] = [
  {
    type: 'choice', name: 'segmentation', label: 'Segmentation', group: 'Segments', common: true,
    help: 'How the image is cut: SLIC superpixels of about equal size, or quickshift, whose segments follow colours.',
    default: 'slic', options: [{ value: 'slic', label: 'SLIC' }, { value: 'quickshift', label: 'Quickshift' }],
  },
  {
    type: 'number', name: 'segments', label: 'Segments', group: 'Segments', common: true,
    help: 'How many segments SLIC is asked for; about so many come out.',
    default: 50, min: 2, max: 1000, step: 1, integer: true, logarithmic: true, tune: { min: 25, max: 150 },
  },
  {
    type: 'number', name: 'compactness', label: 'Compactness', group: 'Segments',
    help: 'How much nearness weighs against colour in SLIC; large values give squares.',
    default: 10, min: 0.1, max: 1000, step: 0.1, logarithmic: true, tune: { min: 3, max: 30 },
  },
  {
    type: 'number', name: 'quickshift-kernel', label: 'Kernel of quickshift', group: 'Segments',
    help: 'Standard deviation of the density, for a shorter side of 224 pixels; it scales with the image. Larger gives fewer segments.',
    default: 4, min: 0.5, max: 20, step: 0.1, unit: 'px at 224',
  },
  {
    type: 'number', name: 'quickshift-distance', label: 'Longest link of quickshift', group: 'Segments',
    help: 'Links longer than this are cut, colour counted with them.',
    default: 200, min: 1, max: 1000, step: 1, unit: 'px at 224',
  },
  {
    type: 'number', name: 'quickshift-ratio', label: 'Colour in quickshift', group: 'Segments',
    help: 'How much a unit of CIELAB colour weighs against a pixel.',
    default: 0.2, min: 0, max: 1, step: 0.01,
  },
  {
    type: 'choice', name: 'fill', label: 'Fill', group: 'Fill', common: true,
    help: 'What stands where a segment is hidden.',
    default: 'mean',
    options: [
      { value: 'mean', label: 'Mean colour of the image' }, { value: 'segment', label: 'Mean colour of the segment' },
      { value: 'blur', label: 'The image, blurred' }, { value: 'zero', label: 'Black' }, { value: 'grey', label: 'Grey, 0.5' },
      { value: 'noise', label: 'Uniform noise' },
    ],
    tune: { values: ['mean', 'segment', 'blur', 'zero'] },
  },
]
