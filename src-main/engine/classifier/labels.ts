import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelSource } from '#shared/domain/model.ts'

/**
 * The stated labels, one per class. ImageNet's 1,000 labels for a model with a background class before them get it.
 * @throws MaskscopeError 'input' where their number is not that of the classes.
 */
export function labelsFor({ labels }: Pick<ModelSource, 'labels'>, classes: number): { labels: readonly string[] | null; notes: string[] } {
  if (!labels) return { labels: null, notes: [] }
  if (labels.length === classes) return { labels, notes: [] }
  if (labels.length === 1000 && classes === 1001) {
    return { labels: ['background', ...labels], notes: ['1,000 labels for 1,001 classes: the first class is taken as background.'] }
  }
  throw new MaskscopeError('input', `There are ${labels.length} labels for ${classes} classes. Give one label per class, or none.`, { subject: 'labels' })
}
