import { existsSync, readFileSync } from 'node:fs'

/** The kernel's USER_HZ: a hundred wherever Node runs. */
const TICK_MS = 10

/** Most memory that was resident so far, by the kernel's own high-water mark; undefined where there is no /proc. proc_pid_status(5) */
export function readPeakMemoryBytes(pid: number): number | undefined {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
}

/** Processor time that all threads took so far, in the program and in the kernel; undefined where there is no /proc. proc_pid_stat(5) */
export function readProcessorMs(pid: number): number | undefined {
  // The second field is the program's name, in parentheses, and may hold anything; utime and stime are the 14th and 15th.
  const fields = /.*\) (.*)$/s.exec(read(`/proc/${pid}/stat`))?.[1]?.split(' ')
  return fields && (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** Files that the process has mapped, libraries among them; empty where there is no /proc. proc_pid_maps(5) */
export function readMappedFiles(pid: number): string {
  return read(`/proc/${pid}/maps`)
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
