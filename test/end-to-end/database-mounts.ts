import { spawnSync } from 'node:child_process'

/**
 * What to spawn a server through so that `script` (sh, in the server's folder) makes mounts that it alone sees and that end with
 * it, in the process that is then the server. Its files are below `/proc/<pid>/root` for others, to read by plain copies: SQLite
 * would follow that link to the mounts of its own process.
 */
export function throughMounts(script: string): string[] {
  return ['unshare', '--mount', '--map-root-user', 'sh', '-c', `${script} && exec "$@"`, 'sh']
}

/** Makes what is there read-only, for root too, at the path given relative to the server's folder. */
export const mountReadOnly = (path: string) => `mount --bind ${path} ${path} && mount -o remount,ro,bind ${path}`

/** Whether this machine lets us mount: Linux, as root or with user namespaces. */
export const canMount = tryToMount()

function tryToMount(): boolean {
  const [command = '', ...args] = throughMounts('mount -t tmpfs tmpfs /mnt')
  return spawnSync(command, [...args, 'true']).status === 0
}
