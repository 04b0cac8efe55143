#!/bin/sh
# EchoPost @VERSION@ in one file: this script, followed by a compressed archive (tar, gzip) with the program and its Java runtime.
# The first start unpacks the archive. The script then stays as the parent of the agent: it passes signals to the agent, exits
# with the agent's status, and restarts an agent that crashed.

fail() { printf 'echopost: %s\n' "$1" >&2; exit 1; }

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

# --- Signals -------------------------------------------------------------------------------------------------------------

# Whether the agent is the last one that took the lock of the directory.
agent_has_lock() { owner=; [ -f "$dir/agent.lock" ] && read -r owner 2> /dev/null < "$dir/agent.lock"; [ "$owner" = "$agent" ]; }

# Passes a request to stop on to the agent. While the JVM starts, a signal would be lost or look like a failure, so it is
# delayed until the agent has the lock of its directory.
on_stop_signal() {
  stopping=1 signalled=1
  [ -n "$supervising" ] || stop_without_agent
  [ -n "$agent" ] || return
  tries=0
  until agent_has_lock || [ "$tries" -ge 60 ] || ! kill -0 "$agent" 2> /dev/null; do
    tries=$((tries + 1))
    sleep 0.05 2> /dev/null || sleep 1
  done
  kill -TERM "$agent" 2> /dev/null
}

stop_without_agent() {
  end_start
  [ -z "$unpacking" ] || rm -rf -- "$unpacking"
  unlock_cache
  if [ -e "$dir/buffer.db" ]; then exit 4; else exit 0; fi
}

# --- The unpacked runtime ------------------------------------------------------------------------------------------------

# Lists the unpacked files with their attributes. All have the same old date, so a changed file differs from the saved list
# without being read.
list_files() { cd -- "$1" && LC_ALL=C TZ=UTC0 exec ls -lnd app bin conf lib app/* bin/* lib/* lib/*/* conf/* conf/*/* conf/*/*/*/* 2>&1; }
is_intact() { [ -f "$1/list" ] && [ -O "$1/list" ] && [ "$(list_files "$1")" = "$(cat "$1/list")" ]; }
# Whether the directory belongs to this user and only this user can write to it.
is_private() { [ -O "$1" ] && case $(LC_ALL=C exec ls -ld -- "$1") in d????-??-*) ;; *) false ;; esac; }
# If df prints nothing, unpacking is tried.
lacks_space() { free=$(df -Pk -- "$1" 2> /dev/null | sed -n '2s/.* \([0-9][0-9]*\)  *[0-9]*%.*/\1/p'); [ "${free:-84000}" -lt 84000 ]; }
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
    why="$1 has too little space (85 MB are needed)"
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
    why="$1 has too little space (85 MB are needed), $self is damaged, or tar or gzip is missing"
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
    prepare_runtime_in "$cache" && return
    reasons="$reasons$why; "
  done
  [ -d "$dir" ] || { printf 'echopost: %s\n' "cannot create the directory $dir: choose another with -datanadhi" >&2; exit 2; }
  fail "no place to unpack to: ${reasons}set ECHOPOST_RUNTIME_DIR to a directory of your own with 85 MB of free space"
}

# --- The agent's process -------------------------------------------------------------------------------------------------

# Replaces this shell by the JVM, with the arguments of the program.
exec_java() {
  nowhere=
  has_working_directory || { nowhere=true; cd /; }
  exec "$runtime/bin/java" ${cause:+-Dechopost.restarted_after="$cause"} ${command:+-Dechopost.screens="$screens"} \
    ${nowhere:+-Dechopost.no_working_directory=true} -Dechopost.start_mark="$mark" \
    -XX:AOTCache="$runtime/app/echopost.aot" -XX:ErrorFile="$error_file" @FLAGS@ \
    -Dorg.sqlite.lib.path="$runtime/lib" -Djava.library.path="$runtime/lib" \
    --enable-native-access=echopost -m echopost/com.datanadhi.echopost.Main "$@"
}

# Runs the agent until it exits and sets $status. The agent survives if this script is killed.
run_agent() {
  [ ! -e "$report" ] && [ ! -h "$report" ] || rm -f -- "$report"
  (exec_java "$@") &
  agent=$!
  [ -z "$stopping" ] || on_stop_signal
  signalled=
  wait "$agent"
  status=$?
  while [ -n "$signalled" ]; do
    signalled=
    wait "$agent"
    again=$?
    [ "$again" = 127 ] || status=$again
  done
  end_start
}

# Removes the socket of an agent that died: a client that finds a socket on which nobody listens fails and does not retry.
# It is that agent's socket if no other agent took the lock since and the private name is the same socket. There is no private
# name on file systems that cannot link sockets.
remove_stale_socket() {
  public=$dir/data-nadhi-agent.sock private=$dir/.agent-private.sock
  [ -S "$public" ] && agent_has_lock && { [ ! -e "$private" ] || [ "$public" -ef "$private" ]; } && rm -f -- "$public"
}

# Sets $session to the newest session directory that belongs to this user: the last of those with the highest number above 1000,
# which counts how often the clock was set back.
find_session() {
  session= newest=0
  for found in "$dir"/session-[0-9]*; do
    number=${found##*Z-}
    case $number in *[!0-9]* | ? | ?? | ??? | '') number=0 ;; esac
    [ ! -d "$found" ] || [ -h "$found" ] || [ ! -O "$found" ] || [ "$number" -lt "$newest" ] || session=$found newest=$number
  done
}

# Sets $cause to the reason why the agent crashed, by its exit status $status; returns 1 if it exited normally. A JVM that
# crashes writes a report, and its exit status has no meaning.
find_cause() {
  cause=
  if [ -f "$report" ]; then
    cause=$(sed -n -e 's/^# *\(SIG[A-Z]*\) .*/\1/p' -e 's/^#.* OutOfMemory .*/OutOfMemoryError/p' -e 20q "$report")
    : "${cause:=crash}"
    find_session
    [ -z "$session" ] || mv -- "$report" "$session/crash.log" 2> /dev/null
  elif [ "$status" -gt 128 ]; then
    cause=SIG$(kill -l "$status")
  else
    # bash sets the status to -1 if the process was dead before a signal came.
    case $status in [0-5]) ;; *) cause=status-$status ;; esac
  fi
  [ -n "$cause" ]
}

# Allows five restarts in a minute. Restarts that lie in the future, since the clock was set back, do not count.
may_restart() {
  now=$(date +%s) recent= count=0
  for past in $restarts; do
    [ "$now" -lt "$past" ] || [ $((now - past)) -ge 60 ] || recent="$recent $past" count=$((count + 1))
  done
  restarts="$recent $now"
  [ "$count" -lt 5 ]
}

give_up() {
  find_session
  log=$session/agent.log
  if [ -n "$session" ] && [ -f "$log" ] && [ ! -h "$log" ]; then
    printf '{"time":"%s","level":"SEVERE","event":"restarts_given_up","died_of":"%s","restarts_in_a_minute":5,"action":"%s"}\n' \
      "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" "$cause" "find out why it dies (see crash.log), then start it again" >> "$log"
  fi
  fail "the agent died again ($cause) after 5 restarts in a minute and is not restarted; accepted records are on disk in $dir: find out why it dies (see crash.log in its newest session directories), then start it again"
}

# Runs the agent, and again after each crash, until it exits normally. Never returns.
supervise() {
  supervising=1 restarts=
  while :; do
    run_agent "$@"
    remove_stale_socket
    agent=
    find_cause || break
    # A stop signal killed the JVM before the agent was ready, or the agent crashed while it stopped.
    case $stopping$cause in 1* | SIGTERM | SIGINT | SIGHUP) stop_without_agent ;; esac
    # With a buffer there may be pending records, which only an agent can deliver.
    [ -e "$dir/buffer.db" ] || break
    may_restart || give_up
    prepare_runtime_in "$cache" || [ -n "$stopping" ] || {
      # If an upgrade replaced the program, and the unpacked runtime is gone too, the new version takes over.
      case $(sed -n '2{p;q;}' "$self" 2> /dev/null) in '# EchoPost v'*) is_own_file || ! [ -x "$self" ] || exec "$self" "$@" ;; esac
      fail "the agent died ($cause) and cannot be restarted: $why"
    }
    [ -z "$stopping" ] || stop_without_agent
  done
  exit "$status"
}

main() {
  prepare_environment
  check_address_space
  find_self

  # Reads -datanadhi and -api-key by the rules of Go's flags, the former also after the name of a command. The key is removed
  # from the arguments and passed on in the environment: crash reports and ps show a JVM's arguments.
  dir=.datanadhi key= flag= command= words=$#
  while [ "$words" -gt 0 ]; do
    words=$((words - 1)) word=$1
    shift
    case $flag in
      '') case $word in
        -datanadhi=* | --datanadhi=*) dir=${word#*=} ;;
        -datanadhi | --datanadhi) flag=dir ;;
        -api-key=* | --api-key=*) [ -n "$command" ] || { key=${word#*=}; continue; } ;;
        # Without a value it is kept, so that the program reports the error.
        -api-key | --api-key) [ -n "$command" ] || { flag=key; [ "$words" = 0 ] || continue; } ;;
        -health-url | --health-url) flag=other ;;
        --) flag=rest ;;
        -?*) ;;
        *) command=1 ;;
      esac ;;
      dir) dir=$word flag= ;;
      key) key=$word flag=; continue ;;
      other) flag= ;;
    esac
    set -- "$@" "$word"
  done
  [ -z "$key" ] || { DATANADHI_API_KEY=$key; export DATANADHI_API_KEY; }

  agent= supervising= stopping= signalled= unpacking= lock= mark= cause=
  trap on_stop_signal TERM INT HUP
  # A JVM prints its threads on this signal and continues.
  trap 'signalled=1; [ -z "$agent" ] || kill -QUIT "$agent" 2> /dev/null' QUIT

  choose_cache

  report=$cache/crash-$$.log
  [ -w "$cache" ] || report=$dir/crash-$$.log
  # Java replaces %p by the process id, and %% by %.
  case $report in *%*) error_file=$(printf '%s\n' "$report" | sed 's/%/%%/g') ;; *) error_file=$report ;; esac
  # A command is not supervised. It replaces this script, since a shell's background process cannot read the terminal.
  [ -z "$command" ] || {
    screens=
    [ ! -t 1 ] || screens=out
    [ ! -t 2 ] || screens=$screens-err
    exec_java "$@"
  }
  supervise "$@"
}

# The archive begins on the next line. The shell reads no further: it executes "exit" with this line, since the file may have been
# overwritten when main returns.
main "$@"; exit # @ID@
