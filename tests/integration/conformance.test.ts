import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { conformance, table, type Conformance } from '../../scripts/conformance/conformance.ts'
import { nodeCases, nodeCaseTest } from '../onnx.ts'

function command(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', 'scripts/conformance/run.ts', ...args], { encoding: 'utf8' })
}

nodeCaseTest('all node cases of ONNX in scope pass', async () => {
  const result = await conformance(nodeCases)
  expect(result.failed).toEqual([])
  expect(result.cases).toBe(result.passed + result.outOfScope.length)
  // what is in scope of version 1.12's 932 cases; a case that leaves the scope must not do so unseen
  expect(result.passed).toBeGreaterThanOrEqual(424)
  for (const { reason } of result.outOfScope) {
    expect(reason).toMatch(/^(operator \S+|input \S+ (has the element type \S+|has rank \d+|is no tensor)|output \S+ has the element type \S+|random training dropout)$/)
  }
  // attributes never put a case out of scope
  const operatorsOf = (prefix: string): string[] => result.outOfScope.filter((c) => c.case.startsWith(prefix)).map((c) => c.reason)
  for (const prefix of ['test_conv_', 'test_convtranspose_1d', 'test_resize', 'test_pad', 'test_slice', 'test_gemm', 'test_averagepool_2d', 'test_maxpool_with_argmax', 'test_batchnorm', 'test_layer_normalization']) {
    expect(operatorsOf(prefix), prefix).toEqual([])
  }
})

nodeCaseTest('a wrong value fails, is named, and gives exit code 1', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'maskscope-cases-'))
  try {
    for (const name of ['test_relu', 'test_and2d', 'test_averagepool_3d_default', 'test_cos']) cpSync(path.join(nodeCases, name), path.join(dir, name), { recursive: true })
    cpSync(path.join(nodeCases, 'test_relu', 'model.onnx'), path.join(dir, 'test_wrong', 'model.onnx'), { recursive: true })
    cpSync(path.join(nodeCases, 'test_abs', 'test_data_set_0'), path.join(dir, 'test_wrong', 'test_data_set_0'), { recursive: true })
    const { status, stdout } = command('--dir', dir, '--json')
    const found = JSON.parse(stdout) as Conformance
    expect({ status, cases: found.cases, passed: found.passed }).toEqual({ status: 1, cases: 5, passed: 1 })
    expect(found.failed).toEqual([{ case: 'test_wrong', reason: expect.stringMatching(/^output y: element \d+ is 0, expected [\d.]+$/) as string }])
    expect(found.outOfScope).toEqual([
      { case: 'test_and2d', reason: 'input x has the element type bool' },
      { case: 'test_averagepool_3d_default', reason: 'input x has rank 5' },
      { case: 'test_cos', reason: 'operator Cos' },
    ])
    expect(table(found)).toContain('5 cases: 1 passed, 1 failed, 3 out of scope.')
    expect(table(found)).toContain('test_wrong: output y')
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('without cases it says where they come from', async () => {
  await expect(conformance('/no/such/folder')).rejects.toThrow('There is no folder /no/such/folder with the node cases of ONNX. On Debian install them with "apt-get install libonnx-testdata"')
  const empty = mkdtempSync(path.join(os.tmpdir(), 'maskscope-cases-'))
  try {
    const { status, stdout, stderr } = command('--dir', empty)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain('holds no node cases')
  } finally {
    rmSync(empty, { recursive: true })
  }
})
