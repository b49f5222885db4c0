/** Completion scripts made from the commands' own descriptions, so that they never fall behind. Pure text. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What completion needs of a command; oclif's cached commands have this shape. */
export interface CompletedCommand {
  /** As typed: `schema apply`. */
  readonly name: string
  readonly summary: string
  readonly flags: readonly CompletedFlag[]
  /** Words for the first arguments, such as report names. */
  readonly words: readonly string[]
  /** Whether an argument can be a file: they are offered where no word fits. */
  readonly takesFiles: boolean
}

export interface CompletedFlag {
  readonly name: string
  readonly char?: string
  readonly summary: string
  readonly takesValue: boolean
  /** Values to choose from, else files. */
  readonly values: readonly string[]
}

/** Stand for names that the shell reads from lpa.toml when it is asked: `[sources.NAME]`, `[profiles.NAME]`. */
export const SOURCES = '@sources'
export const PROFILES = '@profiles'

export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands)
}

// From the nearest lpa.toml upwards: read by the shell itself, since starting Node takes too long.
const NAMES = `_lpa_names() {
  local folder=$PWD
  while [ -n "$folder" ] && [ ! -f "$folder/lpa.toml" ]; do folder=\${folder%/*}; done
  [ -f "$folder/lpa.toml" ] && sed -n "s/^[[:space:]]*\\\\[$1\\\\.\\\\([A-Za-z0-9_-]*\\\\).*/\\\\1/p" "$folder/lpa.toml" | sort -u
}`

/** Words as a shell takes them; `@sources` as what `call` makes of it. */
function wordsText(words: readonly string[], call: (names: string) => string): string {
  return words.map((word) => (word.startsWith('@') ? call(`_lpa_names ${word.slice(1)}`) : word)).join(' ')
}

function bashScript(commands: readonly CompletedCommand[]): string {
  return `# bash completion for lpa. Load it with: source <(lpa completion bash)
${NAMES}

_lpa_no_files() { compopt +o default 2>/dev/null; }
_lpa() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} typed= word words=
  # --flag=value arrives as three words.
  if [ "$current" = "=" ]; then current=; elif [ "$previous" = "=" ]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$typed\${typed:+ }$word" in
${cases(commandWords(commands), (words) => `      ${words}) typed="$typed\${typed:+ }$word" ;;`)}
      *) break ;;
    esac
  done
${shellValues(commands)}
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _lpa lpa
`
}

function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef lpa
# zsh completion for lpa. Load it with: source <(lpa completion zsh)
# or save it as _lpa in a folder of $fpath.
${NAMES}

_lpa_no_files() { only_words=1 }
_lpa() {
  local current=\${words[CURRENT]} previous=\${words[CURRENT-1]} typed= word words_= only_words=
  if [[ $current == --*=* ]]; then previous=\${current%%=*}; compset -P '*='; fi
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$typed\${typed:+ }$word" in
${cases(commandWords(commands), (words) => `      ${words}) typed="$typed\${typed:+ }$word" ;;`)}
      *) break ;;
    esac
  done
${shellValues(commands).replaceAll('words=', 'words_=').replaceAll('COMPREPLY=(); return', '_files; return')}
  if [[ -n $words_ ]] && compadd -- \${=words_}; then return; fi
  [[ -n $only_words ]] || _files
}
if [[ $funcstack[1] == _lpa ]]; then _lpa "$@"; else compdef _lpa lpa; fi
`
}

const inShell = (call: string) => `$(${call})`

/** Sets `words` to what fits at the cursor: values of the flag before it, else flags, else commands and arguments; `_lpa_no_files` where no argument is one. */
function shellValues(commands: readonly CompletedCommand[]): string {
  const values = new Map<string, string[]>()
  for (const command of commands) {
    for (const flag of command.flags.filter(({ takesValue }) => takesValue)) {
      const words = wordsText(flag.values, inShell)
      const names = [`--${flag.name}`, ...(flag.char ? [`-${flag.char}`] : [])]
      for (const name of names) values.set(words, [...(values.get(words) ?? []), `'${command.name}:${name}'`])
    }
  }
  const lines = [...values].map(([words, places]) => {
    const then = words === '' ? 'COMPREPLY=(); return' : `words="${words}"`
    return `    ${places.join('|')}) ${then} ;;`
  })
  const below = [...new Set(['', ...commandWords(commands)])].map((typed) => {
    const command = commands.find(({ name }) => name === typed)
    const flags =
      command?.flags.flatMap(({ name, char }) => [`--${name}`, ...(char ? [`-${char}`] : [])]) ?? []
    const flagWords = [...flags, '--help', ...(typed === '' ? ['--version'] : [])].join(' ')
    const words = wordsText([...nextWords(commands, typed), ...(command?.words ?? [])], inShell)
    const only = command?.takesFiles ? '' : '; _lpa_no_files'
    return `    '${typed}') case "$current" in -*) words="${flagWords}" ;; *) words="${words}"${only} ;; esac ;;`
  })
  return `  case "$typed:$previous" in
${lines.join('\n')}
  *) case "$typed" in
${below.join('\n')}
  esac ;;
  esac`
}

const inFish = (call: string) => `(${call})`

function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = [
    '# fish completion for lpa. Load it with: lpa completion fish | source',
    'function __lpa_words',
    '  set -l words (commandline -opc | string match --invert -- "-*")',
    '  set --erase words[1]',
    '  echo "$words"',
    'end',
    'function __lpa_is --description "The words so far, flags left out, are these"',
    '  test (__lpa_words) = "$argv"',
    'end',
    'function __lpa_in --description "They begin with these"',
    '  string match --quiet -- "$argv *" (__lpa_words)" "',
    'end',
    'function _lpa_names',
    '  set -l folder $PWD',
    '  while test -n "$folder"; and not test -f "$folder/lpa.toml"',
    "    set folder (string replace --regex '/[^/]*$' '' -- $folder)",
    '  end',
    '  test -f "$folder/lpa.toml"; and string match --regex --groups-only "^\\\\s*\\\\[$argv[1]\\\\.([A-Za-z0-9_-]+)" <"$folder/lpa.toml" | sort -u',
    'end',
  ]
  for (const typed of new Set(['', ...commandWords(commands)])) {
    for (const word of nextWords(commands, typed)) {
      const name = typed ? `${typed} ${word}` : word
      const summary = commands.find((command) => command.name === name)?.summary ?? ''
      lines.push(`complete -c lpa -f -n '__lpa_is ${typed}' -a ${word} -d ${quoted(summary)}`)
    }
  }
  for (const { name, flags, words, takesFiles } of commands) {
    const only = takesFiles ? '' : ' -f'
    const offered = words.length > 0 ? ` -a ${quoted(wordsText(words, inFish))}` : ''
    if (only || offered) lines.push(`complete -c lpa${only} -n '__lpa_in ${name}'${offered}`)
    for (const flag of flags) {
      const values = wordsText(flag.values, inFish)
      const value = flag.takesValue ? (values ? ` -x -a ${quoted(values)}` : ' -r') : ''
      const char = flag.char ? ` -s ${flag.char}` : ''
      lines.push(
        `complete -c lpa -n '__lpa_in ${name}' -l ${flag.name}${char}${value} -d ${quoted(flag.summary)}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

// ── small parts ───────────────────────────────────────────────────────────────────────────────────────────

/** Everything that may stand at the beginning: `schema`, `schema apply`, `load`. */
function commandWords(commands: readonly CompletedCommand[]): string[] {
  const all = commands.flatMap(({ name }) => {
    const words = name.split(' ')
    return words.map((_, index) => words.slice(0, index + 1).join(' '))
  })
  return [...new Set(all)].sort()
}

/** The words that may follow: after '' the commands, after `schema`: apply, plan, status. */
function nextWords(commands: readonly CompletedCommand[], typed: string): string[] {
  const prefix = typed === '' ? '' : `${typed} `
  const next = commands
    .filter(({ name }) => name.startsWith(prefix) && name !== typed)
    .map(({ name }) => name.slice(prefix.length).split(' ')[0] ?? '')
  return [...new Set(next)].sort()
}

function cases(words: readonly string[], line: (pattern: string) => string): string {
  return line(words.map((word) => `'${word}'`).join('|'))
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
