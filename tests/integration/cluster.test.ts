import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { cliPath, type Ended, runCli, runCliHere } from '../fixtures/cli.ts'

vi.setConfig({ testTimeout: 240_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-cluster-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const scripts = path.resolve('scripts/cluster')
const asked = ['--model', 'demo', '--data', 'scenes:9@2000000', '--methods', 'center,edges,random', '--metrics', 'iou', '--executor', 'tfjs']

/** A script with nothing of this process's own scheduler, if it runs under one. */
function runScript(name: string, args: readonly string[], variables: Record<string, string>): Promise<Ended> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(SLURM_|JOB_COMPLETION|SHARDS|BENCHMARK|MASKSCOPE$)/.test(key)))
  const child = spawn('sh', [path.join(scripts, name), ...args], { cwd: root, env: { ...inherited, MASKSCOPE: `${process.execPath} ${cliPath}`, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

describe.skipIf(process.platform === 'win32')('the scripts', () => {
  test('a task of a Slurm array and one of an indexed Job, merged, are a whole run', async () => {
    const BENCHMARK = path.join(root, 'shared')
    const [slurm, kubernetes, whole] = await Promise.all([
      runScript('benchmark.slurm', asked, { BENCHMARK, SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_COUNT: '2', SLURM_ARRAY_TASK_MIN: '1', SLURM_CPUS_PER_TASK: '1', SLURM_SUBMIT_DIR: path.resolve('.') }),
      runScript('shard.sh', [...asked, '--jobs', '1'], { BENCHMARK, JOB_COMPLETION_INDEX: '1', SHARDS: '2' }),
      runCli(['benchmark', ...asked, '--jobs', '1', '--out', 'alone'], root),
    ])
    for (const { code, stderr } of [slurm, kubernetes, whole]) expect(code, stderr).toBe(0)
    expect(slurm.stdout).toMatch(/Shard 1 of 2 is done/)
    const merged = await runScript('merge.sh', ['--json'], { BENCHMARK })
    expect(merged.code, merged.stderr).toBe(0)
    expect((JSON.parse(merged.stdout) as { images: number }).images).toBeGreaterThan(5)
    for (const name of ['results.csv', 'summary.json', 'table.tex', 'benchmark.json', 'quality-iou.pdf']) {
      expect(readFileSync(path.join(BENCHMARK, 'whole', name)).equals(readFileSync(path.join(root, 'alone', name))), name).toBe(true)
    }
  })

  test('some tasks of an array alone, with the number of all, make the shards of their own numbers', async () => {
    const BENCHMARK = path.join(root, 'again')
    const { code, stdout, stderr } = await runScript('shard.sh', [...asked, '--jobs', '1'], {
      BENCHMARK, SHARDS: '2', SLURM_ARRAY_TASK_ID: '2', SLURM_ARRAY_TASK_MIN: '2', SLURM_ARRAY_TASK_COUNT: '1',
    })
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/Shard 2 of 2 is done/)
  })

  test('without a scheduler, or without a place, they say so', async () => {
    expect(await runScript('shard.sh', asked, { BENCHMARK: root })).toMatchObject({ code: 2, stderr: expect.stringMatching(/neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX/) as string })
    const { code, stderr } = await runScript('shard.sh', asked, { JOB_COMPLETION_INDEX: '0', SHARDS: '2' })
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/Say where the shards go: BENCHMARK/)
  })
})

const quantity = z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi)?$/)
const resources = z.record(z.enum(['cpu', 'memory']), quantity).or(z.strictObject({ memory: quantity }))
const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
/** The fields of batch/v1 that the manifests use, with the values that Kubernetes takes; any other field is a mistake. */
const jobSchema = z.strictObject({
  apiVersion: z.literal('batch/v1'), kind: z.literal('Job'), metadata: z.strictObject({ name }),
  spec: z.strictObject({
    completions: z.int().positive().optional(), parallelism: z.int().positive().optional(), completionMode: z.enum(['Indexed', 'NonIndexed']).optional(),
    backoffLimit: z.int().min(0).optional(), backoffLimitPerIndex: z.int().min(0).optional(),
    template: z.strictObject({
      spec: z.strictObject({
        // A Job takes no other policy; a limit per index needs Never.
        restartPolicy: z.enum(['Never', 'OnFailure']),
        containers: z.array(z.strictObject({
          name, image: z.string(), command: z.array(z.string()), args: z.array(z.string()).optional(),
          env: z.array(z.strictObject({ name: z.string().regex(/^[A-Z_]+$/), value: z.string() })),
          resources: z.strictObject({ requests: resources, limits: resources }), volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith('/') })),
        })).min(1),
        volumes: z.array(z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: name }) })),
      }),
    }),
  }),
})

test('the manifests have the fields of batch/v1, and fit the scripts and the program', async () => {
  const list = z.strictObject({ apiVersion: z.literal('v1'), kind: z.literal('List'), items: z.array(jobSchema).length(1) })
    .parse(JSON.parse(readFileSync(path.join(scripts, 'kubernetes.json'), 'utf8')))
  const merge = jobSchema.parse(JSON.parse(readFileSync(path.join(scripts, 'kubernetes-merge.json'), 'utf8')))
  const { spec } = list.items[0]!
  const [shard] = spec.template.spec.containers
  expect(spec.completionMode).toBe('Indexed')
  expect(spec.template.spec.restartPolicy).toBe('Never')
  expect(shard!.env.find((variable) => variable.name === 'SHARDS')!.value).toBe(String(spec.completions))
  expect(merge.spec.template.spec.containers[0]!.env).toEqual(shard!.env.filter((variable) => variable.name === 'BENCHMARK'))
  for (const job of [list.items[0]!, merge]) {
    const { containers, volumes } = job.spec.template.spec
    for (const { command, volumeMounts } of containers) {
      expect(() => readFileSync(path.join(scripts, path.basename(command[1]!)))).not.toThrow()
      expect(volumes.map((volume) => volume.name)).toEqual(volumeMounts.map((mount) => mount.name))
    }
  }
  const help = await runCliHere(['benchmark', '--help'], root)
  for (const option of shard!.args!.filter((word) => word.startsWith('--'))) expect(help.stdout).toContain(option)
  // The container makes its own: native modules of the machine that builds it would not run there.
  const ignored = readFileSync('.dockerignore', 'utf8').split('\n')
  for (const folder of ['node_modules', 'out', '.git']) expect(ignored).toContain(folder)
  const containerfile = readFileSync(path.join(scripts, 'Containerfile'), 'utf8')
  for (const [, copied] of containerfile.matchAll(/^COPY (?!--from)(\S+)/gm)) expect(() => readFileSync(copied === '.' ? 'package.json' : copied!)).not.toThrow()
})
