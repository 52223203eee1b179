/** What is explained: a number computed from the logits for one target class. */
export const scoreKinds = ['logit', 'probability', 'log-probability', 'log-odds', 'margin'] as const
export type ScoreKind = (typeof scoreKinds)[number]

export interface Score {
  kind: ScoreKind
  /** Class index. */
  target: number
}

/** How logits become probabilities. `none`: the outputs are not probabilities, only the logit score exists. */
export const heads = ['softmax', 'sigmoid', 'none'] as const
export type Head = (typeof heads)[number]
