
# --- The part that all programs share: scripts/package appends it to the program's own -------------------------------------

fail() { printf '@PROGRAM@: %s\n' "$1" >&2; exit 1; }

prepare_environment() {
  umask 077
  ulimit -c 0 2> /dev/null
  # File names are bytes, and Java decodes them by the locale.
  LC_ALL=C.UTF-8
  export LC_ALL
  # Options that are meant for other JVMs, and options that change what ls, du, tar and gzip print or do.
  unset JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS
  unset TIME_STYLE QUOTING_STYLE BLOCK_SIZE LS_BLOCK_SIZE CLICOLOR_FORCE GZIP TAR_OPTIONS
  # Not every shell has a default path.
  PATH=${PATH:-/usr/bin:/bin:/usr/sbin:/sbin}
}

# Sets $self to the path of this file.
find_self() {
  self=$0
  case $self in */*) ;; *) if [ -f "./$self" ]; then self=./$self; else self=$(command -v -- "$self"); fi ;; esac
  [ -f "$self" ] || fail "the program cannot find its own file: start it by its path"
}

# Whether the working directory exists and is accessible: else no JVM starts in it, and relative paths mean nothing. $PWD can be the
# old name of a renamed directory, or the name of a new directory in place of a deleted one.
has_working_directory() { is_working_directory "$PWD" || is_working_directory "$(cd -P . && pwd -P)"; } 2> /dev/null
is_working_directory() { case $1 in /*) [ . -ef "$1" ] ;; *) false ;; esac; }

# The address space (in KiB) is not the memory that is used, but what is reserved. With too little of it a JVM does not start, or
# crashes later. The C library reserves 64 MB for each of many threads, unless it is told not to.
check_address_space() {
  space=$(ulimit -v 2> /dev/null)
  case $space in '' | *[!0-9]*) return ;; esac
  [ "$space" -ge 750000 ] || fail "the address space is limited to $space KiB: it needs at least 750000 KiB, most of which is only reserved and never used; raise the limit (ulimit -v 750000, or unlimited)"
  MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-2}
  export MALLOC_ARENA_MAX
}

# --- The unpacked runtime ------------------------------------------------------------------------------------------------

# Lists the unpacked files with their attributes. All have the same old date, so a changed file differs from the saved list
# without being read.
list_files() { cd -- "$1" && LC_ALL=C TZ=UTC0 exec ls -lnd app bin conf lib app/* bin/* lib/* lib/*/* conf/* conf/*/* conf/*/*/*/* 2>&1; }
is_intact() { [ -f "$1/list" ] && [ -O "$1/list" ] && [ "$(list_files "$1")" = "$(cat "$1/list")" ]; }
# Whether the directory belongs to this user and only this user can write to it.
is_private() { [ -O "$1" ] && case $(LC_ALL=C exec ls -ld -- "$1") in d????-??-*) ;; *) false ;; esac; }
# If df prints nothing, unpacking is tried.
lacks_space() { free=$(df -Pk -- "$1" 2> /dev/null | sed -n '2s/.* \([0-9][0-9]*\)  *[0-9]*%.*/\1/p'); [ "${free:-@SPACE_KIB@}" -lt @SPACE_KIB@ ]; }
# Runs a file, since some shells' test -x looks only at its mode and not at the mount option noexec.
can_run_programs() { printf '#!/bin/sh\n' > "$1/try" && chmod 700 "$1/try" && "$1/try" && rm -- "$1/try"; } 2> /dev/null
# A runtime may be removed when no process uses it. A JVM holds a lock on the file "list"; until it has that lock, it is protected
# by this mark, which it then removes. The mark comes first, so that a runtime that was intact after it stays.
use_runtime() { { echo > "$mark"; } 2> /dev/null; is_intact "$runtime"; }
end_start() { [ ! -f "$mark" ] || rm -f -- "$mark"; }
# Whether the file still has this program's archive: it may have been overwritten with another version since the start.
is_own_file() { [ "$(sed -n "$((@LINE@ - 1)){p;q;}" "$self")" = 'main "$@"; exit # @ID@' ]; } 2> /dev/null
unlock_cache() { [ -z "$lock" ] || [ "$(readlink -- "$lock")" != $$ ] || rm -f -- "$lock"; }

# Sets $runtime to the runtime below the directory $1, and unpacks it there unless it is intact. Sets $why and returns 1 if
# that is impossible.
prepare_runtime_in() {
  runtime=$1/@ID@
  mark=$runtime/.start-$$
  case $1 in *:*) why="$1 has a colon in its name, which Java does not support"; return 1 ;; esac
  [ -d "$1" ] || mkdir -p -- "$1" 2> /dev/null || { why="$1 cannot be created"; return 1; }
  is_private "$1" || { why="$1 belongs to another user, or others can write to it"; return 1; }
  use_runtime && { [ -x "$runtime/bin/java" ] || { why="$1 does not allow programs to run"; return 1; }; } && return 0
  [ -w "$1" ] || { why="$1 is not writable"; return 1; }
  # The lock only avoids duplicate work: the first process unpacks, the others wait for a while. It is a dangling link to its
  # holder's process id, so the lock and its holder appear in one step.
  lock=$1/.lock-@ID@ waits=0 misses=0 seen=nothing
  until [ ! -h "$lock" ] && ln -s -- $$ "$lock" 2> /dev/null; do
    use_runtime && return 0
    if holder=$(readlink -- "$lock"); then
      misses=0 waits=$((waits + 1))
      # The holder is dead, or its process id now belongs to another program whose unpacking makes no progress.
      [ "$holder" != $$ ] && kill -0 "$holder" 2> /dev/null || break
      if [ $((waits % 12)) = 0 ]; then
        size=$(du -sk -- "$1/.new-$holder" 2> /dev/null)
        [ "$size" != "$seen" ] || break
        seen=$size
      fi
    else
      misses=$((misses + 1))
      [ "$misses" -lt 5 ] || { why="$1 is not writable or has no space left"; return 1; }
    fi
    sleep 0.05 2> /dev/null || sleep 1
  done
  use_runtime || unpack_into "$1"
  unpacked=$?
  # Once the runtime is there, nobody needs the lock, whoever holds it.
  if [ "$unpacked" = 0 ]; then rm -f -- "$lock"; else unlock_cache; fi
  return $unpacked
}

# Unpacks the archive to a new directory below $1 and renames that to $runtime.
unpack_into() {
  for leftover in "$1"/.new-*; do kill -0 "${leftover##*-}" 2> /dev/null || rm -rf -- "$leftover"; done
  unpacking=$1/.new-$$
  rm -rf -- "$unpacking"
  # Checked before unpacking: a place that stays unsuitable must not cost this work at every start.
  if lacks_space "$1" || ! mkdir -- "$unpacking" 2> /dev/null; then
    why="$1 has too little space (@SPACE_MB@ MB are needed)"
    unpacking=
    return 1
  fi
  if ! can_run_programs "$unpacking"; then
    why="$1 does not allow programs to run"
  elif { tail -n +@LINE@ -- "$self" | { gzip -dc || : > "$unpacking/damaged"; } | (cd -- "$unpacking" && tar -xof -); } 2> "$unpacking/errors" &&
      [ ! -e "$unpacking/damaged" ] && is_own_file; then
    (list_files "$unpacking") > "$unpacking/list"
    echo > "$unpacking/.start-$$"
    # Another process may have finished first. A runtime that is there but not intact is replaced.
    is_intact "$runtime" || { [ -e "$runtime" ] && mv -- "$runtime" "$1/.new-0$$"; mv -- "$unpacking" "$runtime"; } 2> /dev/null
    rm -rf -- "$1/.new-0$$" "$runtime/.new-$$" "$runtime/errors"
    why="$1 is not writable"
  elif ! is_own_file; then
    why="$self was removed or replaced by another version"
  else
    why="$1 has too little space (@SPACE_MB@ MB are needed), $self is damaged, or tar or gzip is missing"
  fi
  rm -rf -- "$unpacking"
  unpacking=
  use_runtime
}

# Sets $cache to the first directory that can hold the runtime, and prepares the runtime there.
choose_cache() {
  reasons=
  for cache in "${ECHOPOST_RUNTIME_DIR-}" "${XDG_CACHE_HOME:+$XDG_CACHE_HOME/echopost}" "${HOME:+$HOME/.cache/echopost}" "${dir:+$dir/.runtime}"; do
    case $cache in
      '') continue ;;
      /*) ;;
      *) has_working_directory || { reasons="$reasons$cache is below the working directory, which no longer exists; "; continue; }
        cache=$PWD/$cache ;;
    esac
    prepare_runtime_in "$cache@BELOW_CACHE@" && return
    reasons="$reasons$why; "
  done
  [ -d "$dir" ] || { printf '@PROGRAM@: %s\n' "cannot create the directory $dir: choose another with @DIRECTORY_FLAG@" >&2; exit 2; }
  fail "no place to unpack to: ${reasons}set ECHOPOST_RUNTIME_DIR to a directory of your own with @SPACE_MB@ MB of free space"
}

# Replaces this shell by the JVM, with the arguments of the program. $options has further options of the JVM, without spaces.
exec_java() {
  has_working_directory || { options="$options -Dechopost.no_working_directory=true"; cd /; }
  # shellcheck disable=SC2086
  exec "$runtime/bin/java" $options -Dechopost.start_mark="$mark" \
    -XX:AOTCache="$runtime/app/echopost.aot" -XX:ErrorFile="$error_file" @FLAGS@ \
    -Dorg.sqlite.lib.path="$runtime/lib" -Djava.library.path="$runtime/lib" \
    --enable-native-access=@MODULE@ -m @MODULE@/@MAIN@ "$@"
}

# The archive begins on the next line. The shell reads no further: it executes "exit" with this line, since the file may have been
# overwritten when main returns.
main "$@"; exit # @ID@
