/**
 * Whether objects of the one API version fit the other's types: the same, or another date of the same major version, which its name
 * tells (`2026-10-28.endive`).
 */
export function isCompatible(version: string, expected: string): boolean {
  return version === expected || (version.includes('.') && majorOf(version) === majorOf(expected))
}

function majorOf(version: string): string {
  return version.slice(version.indexOf('.') + 1)
}
