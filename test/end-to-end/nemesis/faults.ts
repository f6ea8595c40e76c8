import { clock } from './clock.ts'
import { cut } from './cut.ts'
import { delay } from './delay.ts'
import type { Fault } from './fault.ts'
import { kill } from './kill.ts'
import { partition } from './partition.ts'
import { postgresRestart } from './postgres-restart.ts'
import { slowDisk } from './slow-disk.ts'
import { stop } from './stop.ts'
import { thread } from './thread.ts'

/** All that the nemesis can do. */
export const faults: readonly Fault[] = [kill, stop, slowDisk, clock, thread, cut, partition, delay, postgresRestart]
