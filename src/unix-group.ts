/** Groups of this machine by name or number: Node knows only numbers. */

import { readFileSync } from 'node:fs'

/** The number of a group, or undefined when there is none of that name. A number is taken as it is, as chgrp does. */
export function groupId(group: string): number | undefined {
  if (/^\d{1,10}$/.test(group)) return Number(group)
  return (
    gidIn(
      textOf(() => readFileSync('/etc/group', 'utf8')),
      group,
    ) ?? gidIn(askSystem(group), group)
  )
}

/** Groups of a directory service are in no file. */
function askSystem(group: string): string {
  // Every command reads the settings; few ask the system.
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  return textOf(() =>
    execFileSync('getent', ['--', 'group', group], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )
}

/** `analysts:x:1005:ada,grace` */
function gidIn(text: string, group: string): number | undefined {
  for (const line of text.split('\n')) {
    const [name, , gid] = line.split(':')
    if (name === group && gid && /^\d+$/.test(gid)) return Number(gid)
  }
  return undefined
}

function textOf(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
