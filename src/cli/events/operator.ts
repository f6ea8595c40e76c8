import { hostname, userInfo } from 'node:os'

/** Who runs this command, as `<user>@<host>`; a user without a name, as containers have them, by number. */
export function findOperator(readUser: () => { readonly username: string } = userInfo): string {
  return `${findUser(readUser)}@${hostname()}`
}

function findUser(readUser: () => { readonly username: string }): string {
  try {
    return readUser().username
  } catch (error) {
    // The one way in which it fails: the system does not know the user.
    if (!(error instanceof Error && 'syscall' in error)) throw error
    return `user ${process.getuid?.()}`
  }
}
