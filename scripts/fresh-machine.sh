#!/usr/bin/env bash
# README's two commands as a new machine runs them: a fresh clone of what is committed, an empty home, no caches, nothing of
# this environment but its PATH. Tells how long each took. The second one takes as long as all tests do.
#
# usage: scripts/fresh-machine.sh [--demo]     --demo: only the first
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
machine=$(mktemp -d)
trap 'rm -rf "$machine"' EXIT
mkdir "$machine/home" "$machine/tmp"
git clone --quiet "$root" "$machine/lpa"

# How the package clients reach their registries is the machine's.
mapfile -t reach < <(env | grep -iE '^(npm_config_registry|pip_index_url|pip_cert|maven_args|[a-z]+_proxy)=' || true)
# Without this checkout's own programs.
path=$(tr ':' '\n' <<<"$PATH" | grep -v "^$root" | paste -sd:)
fresh() {
  local began=$SECONDS status=0
  (cd "$machine/lpa" &&
    env -i "${reach[@]}" PATH="$path" HOME="$machine/home" TMPDIR="$machine/tmp" LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@") || status=$?
  printf '%s: exit %d after %d s\n' "$*" "$status" $((SECONDS - began)) >&2
  return "$status"
}

fresh npm run demo
[[ ${1:-} == --demo ]] || fresh .ci/run
