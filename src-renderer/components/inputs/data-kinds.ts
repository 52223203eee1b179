import type { DataSet } from '#shared/contract/models.ts'

export interface DataKind {
  value: DataSet['kind']
  label: string
  /** What has to lie there. */
  hint: string
  /** Packed in a part for training and one for tests. */
  parts: boolean
}

/** As the command line calls them, with names for people. */
export const dataKinds: readonly DataKind[] = [
  { value: 'folder', label: 'A folder per class', hint: 'A folder that holds one folder of images for each class.', parts: false },
  { value: 'list', label: 'List of files (CSV)', hint: 'A CSV file, one image a row. Its first line names the columns file and class or class_index.', parts: false },
  { value: 'boxes', label: 'Images with boxes', hint: 'A folder of images and their boxes: a text file or a Pascal VOC annotation of the same name for each.', parts: false },
  { value: 'segmentation', label: 'Images with segmentations', hint: 'A folder of images and their segmentations, each a PNG: NAME_mask.png beside NAME.jpg, or the folders JPEGImages and SegmentationClass.', parts: false },
  { value: 'idx', label: 'MNIST family (IDX)', hint: 'A folder with the four files of images and labels, as they are downloaded (.gz) or unpacked.', parts: true },
  { value: 'cifar10', label: 'CIFAR-10 (binary)', hint: 'A folder with the binary version: test_batch.bin and data_batch_1.bin to data_batch_5.bin.', parts: true },
]

/** How many images stand together: the grid pointing game asks which of them a map points at. */
export const mosaicOptions = [
  { value: '1', label: 'Single images' },
  ...[2, 3, 4].map((side) => ({ value: String(side), label: `Mosaics of ${side} × ${side}` })),
]
