import { expect, test } from 'vitest'
import { isRefusedAddress } from '../../src/targets/refused-address.ts'

test.each([
  '169.254.169.254',
  '169.254.0.1',
  '100.100.100.200',
  '192.0.0.192',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd00:ec2:0:1::1',
  'FD00:0EC2:0:0:0:0:0:254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '::169.254.169.254',
  '::ffff:0:169.254.169.254',
  '64:ff9b::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
])('refuses %s', (address) => {
  expect(isRefusedAddress(address)).toBe(true)
})

test.each([
  '127.0.0.1',
  '10.0.0.1',
  '192.168.1.1',
  '172.16.0.1',
  '100.64.0.1',
  '169.253.255.255',
  '8.8.8.8',
  '::1',
  'fd00::1',
  'fd00:ec3::23',
  '168.63.129.17',
  'fec0::1',
  '::ffff:10.0.0.1',
  '64:ff9b::10.0.0.1',
  '2002:a00:1::1',
  '2001:db8::a9fe:a9fe',
  'shop.internal',
])('lets %s pass', (address) => {
  expect(isRefusedAddress(address)).toBe(false)
})
