import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { quantile } from './statistics.ts'

/** What the numbers were measured on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly node: string
  readonly kernel: string
  /** Median time that an appended 16 KiB take to be durable on the disk of the inboxes. */
  readonly syncMs: number
  /** Processes that ran before anything was measured: others take their share of the cores. */
  readonly loadBefore: number
  /** Version and settings; undefined when none was measured. */
  readonly postgres: string | undefined
}

const APPENDS = 200
const APPEND_BYTES = 16_384

export function describeMachine(scratch: string): Omit<Machine, 'postgres'> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    kernel: `${type()} ${release()}`,
    syncMs: measureSync(join(scratch, 'sync-probe')),
    loadBefore: loadavg()[0] ?? Number.NaN,
  }
}

function measureSync(file: string): number {
  const descriptor = openSync(file, 'w')
  const bytes = Buffer.alloc(APPEND_BYTES, 1)
  const times = Array.from({ length: APPENDS }, () => {
    const startedAt = performance.now()
    writeSync(descriptor, bytes)
    fsyncSync(descriptor)
    return performance.now() - startedAt
  })
  closeSync(descriptor)
  return quantile(times, 0.5)
}
