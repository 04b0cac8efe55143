#!/bin/sh
# EchoPost @VERSION@ in one file: this script, and behind its last line a Java runtime with the program in it (tar, gzip).
# The first start unpacks that; then this script stays as the agent's parent, passes signals and the exit status on.
umask 077
ulimit -c 0 2> /dev/null
# File names are bytes; Java reads them by the locale. And nobody else's options are for this JVM, or for the tools below.
LC_ALL=C.UTF-8
export LC_ALL
unset JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS
unset TIME_STYLE QUOTING_STYLE BLOCK_SIZE LS_BLOCK_SIZE CLICOLOR_FORCE GZIP TAR_OPTIONS
# Not every shell has a default where there is none.
PATH=${PATH:-/usr/bin:/bin:/usr/sbin:/sbin}
fail() { printf 'echopost: %s\n' "$1" >&2; exit 1; }
self=$0
case $self in */*) ;; *) if [ -f "./$self" ]; then self=./$self; else self=$(command -v -- "$self"); fi ;; esac
[ -f "$self" ] || fail "cannot find my own file: start me by a path"

# -datanadhi and -api-key, by the rules of Go's flags, the first also behind the word that names a command. The key goes on in
# the environment: the JVM's arguments are in its crash report, and for every user in ps.
dir=.datanadhi key= flag= command= words=$#
while [ "$words" -gt 0 ]; do
  words=$((words - 1)) word=$1
  shift
  case $flag in
    '') case $word in
      -datanadhi=* | --datanadhi=*) dir=${word#*=} ;;
      -datanadhi | --datanadhi) flag=dir ;;
      -api-key=* | --api-key=*) [ -n "$command" ] || { key=${word#*=}; continue; } ;;
      # Without a value it is left, for Java to say so.
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

# What can be seen of the unpacked files without reading them: all have the same old date, so a change shows.
look() { cd -- "$1" && LC_ALL=C TZ=UTC0 exec ls -lnd app bin conf lib app/* bin/* lib/* lib/*/* conf/* conf/*/* conf/*/*/*/* 2>&1; }
sound() { [ -f "$1/list" ] && [ -O "$1/list" ] && [ "$(look "$1")" = "$(cat "$1/list")" ]; }
# Ours, and nobody else can write to it.
trusted() { [ -O "$1" ] && case $(LC_ALL=C exec ls -ld -- "$1") in d????-??-*) ;; *) false ;; esac; }

# A signal is for the agent. One that comes while Java is not up yet would be lost, or taken for a failure: it is held back
# until the agent has taken its directory.
agent= starting= stopped= signalled= new= lock=
# Whether the agent is the last one that took the directory.
owns() { owner=; [ -f "$dir/agent.lock" ] && read -r owner 2> /dev/null < "$dir/agent.lock"; [ "$owner" = "$agent" ]; }
on_signal() {
  stopped=1 signalled=1
  [ -n "$starting" ] || leave_early
  [ -n "$agent" ] || return
  tries=0
  until owns || [ "$tries" -ge 60 ] || ! kill -0 "$agent" 2> /dev/null; do
    tries=$((tries + 1))
    sleep 0.05 2> /dev/null || sleep 1
  done
  kill -TERM "$agent" 2> /dev/null
}
# Told to stop while there is no agent.
leave_early() {
  [ -z "$new" ] || rm -rf -- "$new"
  unlock
  if [ -e "$dir/buffer.db" ]; then exit 4; else exit 0; fi
}
trap on_signal TERM INT HUP
# Java shows its threads, and goes on.
trap 'signalled=1; [ -z "$agent" ] || kill -QUIT "$agent" 2> /dev/null' QUIT

# Sets $runtime to the unpacked runtime below the directory $1, which is unpacked there when it is not sound; 1 when that
# cannot be.
unpacked_in() {
  runtime=$1/@ID@
  case $1 in *:*) why="$1 has a colon in its name, which Java cannot have"; return 1 ;; esac
  [ -d "$1" ] || mkdir -p -- "$1" 2> /dev/null || { why="$1 cannot be made"; return 1; }
  trusted "$1" || { why="$1 is not mine alone"; return 1; }
  sound "$runtime" && { [ -x "$runtime/bin/java" ] || { why="$1 lets no program run"; return 1; }; } && return 0
  [ -w "$1" ] || { why="$1 cannot be written"; return 1; }
  # The lock only spares work: the first unpacks, the others wait for that a while. It is a link to nothing but its
  # holder's process id, so that it never exists without saying whose it is.
  lock=$1/.lock-@ID@ waits=0 misses=0 seen=nothing
  until [ ! -h "$lock" ] && ln -s -- $$ "$lock" 2> /dev/null; do
    sound "$runtime" && return 0
    if holder=$(readlink -- "$lock"); then
      misses=0 waits=$((waits + 1))
      # Dead, or another program that has its number by now: then work may be done twice.
      [ "$holder" != $$ ] && kill -0 "$holder" 2> /dev/null || break
      if [ $((waits % 12)) = 0 ]; then
        size=$(du -sk -- "$1/.new-$holder" 2> /dev/null)
        [ "$size" != "$seen" ] || break
        seen=$size
      fi
    else
      misses=$((misses + 1))
      [ "$misses" -lt 5 ] || { why="$1 cannot be written, or has no room"; return 1; }
    fi
    sleep 0.05 2> /dev/null || sleep 1
  done
  sound "$runtime" || unpack "$1"
  unpacked=$?
  # Whosever it is: now it has nothing to spare any more.
  if [ "$unpacked" = 0 ]; then rm -f -- "$lock"; else unlock; fi
  return $unpacked
}
unlock() { [ -z "$lock" ] || [ "$(readlink -- "$lock")" != $$ ] || rm -f -- "$lock"; }
# Where df says nothing, it is tried.
lacks_room() { free=$(df -Pk -- "$1" 2> /dev/null | sed -n '2s/.* \([0-9][0-9]*\)  *[0-9]*%.*/\1/p'); [ "${free:-84000}" -lt 84000 ]; }
# Some shells take a file for executable by its mode alone, wherever it lies.
runs_programs() { printf '#!/bin/sh\n' > "$1/try" && chmod 700 "$1/try" && "$1/try" && rm -- "$1/try"; } 2> /dev/null
unpack() {
  for left in "$1"/.new-*; do kill -0 "${left##*-}" 2> /dev/null || rm -rf -- "$left"; done
  new=$1/.new-$$
  rm -rf -- "$new"
  # Both are asked before the work is done: a place that stays so must not cost every start the time for it.
  if lacks_room "$1" || ! mkdir -- "$new" 2> /dev/null; then
    why="$1 has no room (85 MB are needed)"
    new=
    return 1
  fi
  if ! runs_programs "$new"; then
    why="$1 lets no program run"
  elif { tail -n +@LINE@ -- "$self" | { gzip -dc || : > "$new/damaged"; } | (cd -- "$new" && tar -xof -); } 2> "$new/errors" &&
      [ ! -e "$new/damaged" ]; then
    (look "$new") > "$new/list"
    # Somebody else may have been quicker. What is there and not sound has to go.
    sound "$runtime" || { [ -e "$runtime" ] && mv -- "$runtime" "$1/.new-0$$"; mv -- "$new" "$runtime"; } 2> /dev/null
    rm -rf -- "$1/.new-0$$" "$runtime/.new-$$" "$runtime/errors"
    why="$1 cannot be written"
  else
    why="$1 has no room (85 MB are needed), $self is damaged, or tar or gzip is missing"
  fi
  rm -rf -- "$new"
  new=
  sound "$runtime"
}
found= reasons=
for cache in "${ECHOPOST_RUNTIME_DIR-}" "${XDG_CACHE_HOME:+$XDG_CACHE_HOME/echopost}" "${HOME:+$HOME/.cache/echopost}" "${dir:+$dir/.runtime}"; do
  case $cache in '') continue ;; /*) ;; *) cache=$PWD/$cache ;; esac
  if unpacked_in "$cache"; then found=1; break; fi
  reasons="$reasons$why; "
done
[ -n "$found" ] || [ -d "$dir" ] || { printf 'echopost: %s\n' "cannot make the directory $dir: choose another with -datanadhi" >&2; exit 2; }
[ -n "$found" ] || fail "no place to unpack to: ${reasons}name a directory of your own with 85 MB of room in ECHOPOST_RUNTIME_DIR"

report=$cache/crash-$$.log
[ -w "$cache" ] || report=$dir/crash-$$.log
# To Java %p is a process id there, and %% is %.
case $report in *%*) error_file=$(printf '%s\n' "$report" | sed 's/%/%%/g') ;; *) error_file=$report ;; esac
set -- -XX:AOTCache="$runtime/app/echopost.aot" -XX:ErrorFile="$error_file" @FLAGS@ \
  -Dorg.sqlite.lib.path="$runtime/lib" -Djava.library.path="$runtime/lib" \
  --enable-native-access=echopost -m echopost/com.datanadhi.echopost.Main "$@"
# A command needs no guardian, but the terminal, which a shell does not leave to what runs behind it.
[ -z "$command" ] || {
  screens=
  [ ! -t 1 ] || screens=out
  [ ! -t 2 ] || screens=$screens-err
  exec "$runtime/bin/java" -Dechopost.screens="$screens" "$@"
}

# Runs the agent to its end and sets $status. It outlives this script.
death=
run() {
  [ ! -e "$report" ] || rm -f -- "$report"
  "$runtime/bin/java" ${death:+-Dechopost.restarted_after="$death"} "$@" &
  agent=$!
  [ -z "$stopped" ] || on_signal
  signalled=
  wait "$agent"
  status=$?
  while [ -n "$signalled" ]; do
    signalled=
    wait "$agent"
    again=$?
    [ "$again" = 127 ] || status=$again
  done
}
# A client that meets the name of a socket on which nobody listens is refused, and gives up for good. It is the dead
# agent's if nobody has taken the directory since, and its private name is the same socket; where a file system cannot
# link sockets, there is no private name.
remove_dead_name() {
  public=$dir/data-nadhi-agent.sock private=$dir/.agent-private.sock
  [ -S "$public" ] && owns && { [ ! -e "$private" ] || [ "$public" -ef "$private" ]; } && rm -f -- "$public"
}
# The newest session's directory, if it is a directory and ours.
find_session() {
  session=
  for found in "$dir"/session-[0-9]*; do
    [ ! -d "$found" ] || [ -h "$found" ] || [ ! -O "$found" ] || session=$found
  done
}
# Of the times of the last restarts those within a minute are kept. A clock that was set back makes them old.
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
    printf '{"time":"%s","level":"SEVERE","event":"restarts_given_up","died_of":"%s","restarts_in_a_minute":5,"mend":"%s"}\n' \
      "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" "$death" "see what kills it, and crash.log, then start again" >> "$log"
  fi
  fail "the agent died again ($death) after 5 restarts in a minute and stays down; what was accepted is on disk in $dir: see what kills it, and crash.log in the newest sessions there, then start again"
}

# Sets $death to what the agent died of, which ended with $status; 1 when it ended by itself. A JVM that crashes writes a
# report, and its status says nothing.
died() {
  death=
  if [ -f "$report" ]; then
    death=$(sed -n -e 's/^# *\(SIG[A-Z]*\) .*/\1/p' -e 's/^#.* OutOfMemory .*/OutOfMemoryError/p' -e 20q "$report")
    : "${death:=crash}"
    find_session
    [ -z "$session" ] || mv -- "$report" "$session/crash.log" 2> /dev/null
  elif [ "$status" -gt 128 ]; then
    death=SIG$(kill -l "$status")
  else
    # bash says -1 of a process that was dead before a signal came.
    case $status in [0-5]) ;; *) death=status-$status ;; esac
  fi
  [ -n "$death" ]
}

starting=1 restarts=
while :; do
  run "$@"
  remove_dead_name
  agent=
  died || break
  # Java itself was told to stop before it was up; or the agent died of something else while it stopped.
  case $stopped$death in 1* | SIGTERM | SIGINT | SIGHUP) leave_early ;; esac
  # What was accepted is in the buffer; whether all of it is delivered only the agent can see.
  [ -e "$dir/buffer.db" ] || break
  may_restart || give_up
  unpacked_in "$cache" || [ -n "$stopped" ] || fail "the agent died ($death) and cannot be started again: $why"
  [ -z "$stopped" ] || leave_early
done
exit "$status"
