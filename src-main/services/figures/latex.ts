import type { FigureFacts } from '#shared/figure/figure-data.ts'
import { decimalText } from '#shared/figure/panels/table-panel.ts'
import { tableModel, type TableCell, type TableModel } from '#shared/figure/panels/table.ts'
import { figureWidth, type FigureSpec } from '#shared/figure/spec.ts'

/** What a paper needs of a figure: the lines that include it, and each of its tables as booktabs. */
export function figureLatex(spec: FigureSpec, facts: FigureFacts, { name, caption, provenance }: { name: string; caption: string; provenance: string }): string {
  const label = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'figure'
  const width = figureWidth(spec)
  const tables = spec.panels.flatMap((panel, i) => {
    if (panel.kind !== 'table') return []
    const model = tableModel(panel, { facts, family: spec.font, letter: null, name: String.fromCharCode(97 + i), gutter: spec.gutter })
    const about = panel.title ?? `${model.columns.map(({ title }) => title).join(', ')} of ${model.rows.length} ${model.rows.some(({ runs }) => runs.length > 1) ? 'methods' : 'runs'}`
    return [tableLatex(model, { caption: `${about}.`, label: `${label}-${i + 1}` })]
  })
  return [
    '% Made by Maskscope. In the preamble: \\usepackage{graphicx}' + (tables.length > 0 ? ', \\usepackage{booktabs}' : ''),
    `% ${provenance.replace(/\s+/g, ' ')}`,
    '\\begin{figure}',
    '  \\centering',
    `  \\includegraphics[width=${Number(width.toFixed(2))}mm]{${name}.pdf}`,
    `  \\caption{${escapeLatex(caption)}}`,
    `  \\label{fig:${label}}`,
    '\\end{figure}',
    ...tables.flatMap((table) => ['', table]),
    '',
  ].join('\n')
}

/** A table of means with their intervals; the best is bold. */
export function tableLatex({ columns, rows, intervals }: TableModel, { caption, label }: { caption: string; label: string }): string {
  const arrows = { higher: ' $\\uparrow$', lower: ' $\\downarrow$' }
  const heads = columns.map(({ title, better }) => `${escapeLatex(title)}${better === null ? '' : arrows[better]}`)
  return [
    '\\begin{table}',
    '  \\centering',
    `  \\begin{tabular}{l${'r'.repeat(columns.length)}}`,
    '    \\toprule',
    `    Method & ${heads.join(' & ')} \\\\`,
    '    \\midrule',
    ...rows.map((row) => `    ${escapeLatex(row.label)} & ${row.cells.map(cellLatex).join(' & ')} \\\\`),
    '    \\bottomrule',
    '  \\end{tabular}',
    `  \\caption{${escapeLatex(caption)}${intervals ? ' Means with 95\\% bootstrap intervals.' : ''}}`,
    `  \\label{tab:${label}}`,
    '\\end{table}',
  ].join('\n')
}

function cellLatex({ mean, low, high, best }: TableCell): string {
  if (!Number.isFinite(mean)) return '--'
  const own = best ? `\\textbf{${number(mean)}}` : number(mean)
  return Number.isFinite(low) ? `${own} {\\small[${number(low)}, ${number(high)}]}` : own
}

function number(value: number): string {
  const text = decimalText(value)
  return text.startsWith('−') ? `$-$${text.slice(1)}` : text
}

const escapes: Record<string, string> = {
  '\\': '\\textbackslash{}', '{': '\\{', '}': '\\}', $: '\\$', '&': '\\&', '#': '\\#', '%': '\\%', _: '\\_', '^': '\\textasciicircum{}', '~': '\\textasciitilde{}',
  '\u00a0': '~', '−': '$-$', '×': '$\\times$', '≤': '$\\leq$', '≥': '$\\geq$', '→': '$\\rightarrow$', '↑': '$\\uparrow$', '↓': '$\\downarrow$', '…': '\\ldots{}', '–': '--',
  λ: '$\\lambda$', σ: '$\\sigma$', γ: '$\\gamma$', β: '$\\beta$', α: '$\\alpha$', ε: '$\\epsilon$', μ: '$\\mu$',
}

/** Plain text as LaTeX sets it. */
export function escapeLatex(text: string): string {
  return [...text].map((character) => escapes[character] ?? character).join('')
}
