import { hostname, userInfo } from 'node:os'
import { expect, it } from 'vitest'
import { findOperator } from '../../../src/cli/events/operator.ts'

it('is the user at this host', () => {
  expect(findOperator()).toBe(`${userInfo().username}@${hostname()}`)
})

it('is a number where the system does not know the user, as in a container', () => {
  const unknown = Object.assign(new Error('no such file or directory'), { syscall: 'uv_os_get_passwd' })
  const readUser = () => {
    throw unknown
  }
  expect(findOperator(readUser)).toBe(`user ${process.getuid?.()}@${hostname()}`)
})
