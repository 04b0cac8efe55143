#!/bin/sh
# EchoPost @VERSION@ in one file: this script, and behind its last line a Java runtime with the program in it (tar, gzip).
# The first start unpacks that; then this script stays as the agent's parent, passes signals and the exit status on.
umask 077
ulimit -c 0 2> /dev/null
# File names are bytes; Java reads them by the locale. And nobody else's options are for this JVM.
LC_ALL=C.UTF-8
export LC_ALL
unset JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS
fail() { printf 'echopost: %s\n' "$1" >&2; exit 1; }
self=$0
case $self in */*) ;; *) self=$(command -v -- "$self") || fail "cannot find my own file: start me by a path" ;; esac

# -datanadhi, by the rules of Go's flags.
dir=.datanadhi flag=
for word in "$@"; do
  case $flag$word in
    -datanadhi-value:*) dir=$word flag= ;;
    -other-value:*) flag= ;;
    -datanadhi=* | --datanadhi=*) dir=${word#*=} ;;
    -datanadhi | --datanadhi) flag=-datanadhi-value: ;;
    -api-key | --api-key | -health-url | --health-url) flag=-other-value: ;;
    -*) ;;
    *) break ;;
  esac
done

# What can be seen of the unpacked files without reading them: all have the same old date, so a change shows.
look() { cd -- "$1" && LC_ALL=C TZ=UTC0 exec ls -ilnd app/* bin/* lib/* lib/server/* 2>&1; }
sound() { [ -f "$1/list" ] && [ "$(look "$1")" = "$(cat "$1/list")" ]; }
# Ours, and nobody else can write to it.
trusted() { [ -O "$1" ] && case $(LC_ALL=C exec ls -ld -- "$1") in d????-??-*) ;; *) false ;; esac; }

# Sets $runtime to the unpacked runtime below the directory $1, which is unpacked there when it is not sound; 1 when that
# cannot be.
unpacked_in() {
  runtime=$1/@ID@
  [ -d "$1" ] || mkdir -p -- "$1" 2> /dev/null || { why="$1 cannot be made"; return 1; }
  trusted "$1" || { why="$1 is not mine alone"; return 1; }
  sound "$runtime" && { [ -x "$runtime/bin/java" ] || { why="$1 lets no program run"; return 1; }; } && return 0
  # The lock says who holds it, in one step: a link to nothing but a process id. A dead holder has none.
  lock=$1/.lock-@ID@ tries=0
  until [ ! -h "$lock" ] && ln -s -- $$ "$lock" 2> /dev/null; do
    tries=$((tries + 1))
    if [ ! -h "$lock" ]; then
      [ "$tries" -lt 4 ] || { why="$1 cannot be written, or has no room"; return 1; }
    elif [ $((tries % 16)) = 1 ] && holder=$(readlink -- "$lock") && ! kill -0 "$holder" 2> /dev/null; then
      mv -- "$lock" "$1/.new-$$" 2> /dev/null && continue
    elif [ "$tries" -gt 80 ]; then
      why="$1 is being unpacked to by process $holder, which does not come to an end"
      return 1
    fi
    pause=0.03
    [ "$tries" -lt 30 ] || pause=0.2
    sleep "$pause" 2> /dev/null || sleep 1
  done
  sound "$runtime" || unpack "$1"
  done=$?
  rm -f -- "$lock"
  return $done
}
unpack() {
  for left in "$1"/.new-*; do kill -0 "${left##*-}" 2> /dev/null || rm -rf -- "$left"; done
  new=$1/.new-$$
  rm -rf -- "$new"
  mkdir -- "$new" 2> /dev/null && { tail -n +@LINE@ -- "$self" | { gzip -dc || : > "$new/damaged"; } | (cd -- "$new" && tar -xof -); } 2> "$new/errors"
  if [ $? != 0 ] || [ -e "$new/damaged" ]; then
    why="$1 has no room (70 MB are needed), or $self is damaged"
  elif [ ! -x "$new/bin/java" ]; then
    why="$1 lets no program run"
  elif (look "$new") > "$new/list" && { [ ! -e "$runtime" ] || mv -- "$runtime" "$1/.new-0$$"; } && mv -- "$new" "$runtime"; then
    rm -rf -- "$1/.new-0$$" "$runtime/errors"
    return 0
  fi
  rm -rf -- "$new"
  return 1
}
found= reasons=
for cache in "${ECHOPOST_RUNTIME_DIR-}" "${XDG_CACHE_HOME:+$XDG_CACHE_HOME/echopost}" "${HOME:+$HOME/.cache/echopost}" "$dir/.runtime"; do
  case $cache in '') continue ;; /*) ;; *) cache=$PWD/$cache ;; esac
  if unpacked_in "$cache"; then found=1; break; fi
  reasons="$reasons$why; "
done
[ -n "$found" ] || [ -d "$dir" ] || { printf 'echopost: %s\n' "cannot make the directory $dir: choose another with -datanadhi" >&2; exit 2; }
[ -n "$found" ] || fail "no place to unpack to: ${reasons}name a directory of your own with 70 MB of room in ECHOPOST_RUNTIME_DIR"

# The agent outlives this script; a signal to it is for the agent.
agent= signalled= stopped=
trap 'signalled=1 stopped=1; [ -z "$agent" ] || kill -TERM "$agent" 2> /dev/null' TERM INT HUP
report=$cache/crash-$$.log
"$runtime/bin/java" -XX:AOTCache="$runtime/app/echopost.aot" -XX:ErrorFile="$report" @FLAGS@ \
  -Dorg.sqlite.lib.path="$runtime/lib" -Djava.library.path="$runtime/lib" \
  -cp "$runtime/app/echopost.jar" com.datanadhi.echopost.Main "$@" &
agent=$!
[ -z "$signalled" ] || kill -TERM "$agent" 2> /dev/null
signalled=
wait "$agent"
status=$?
while [ -n "$signalled" ]; do
  signalled=
  wait "$agent"
  again=$?
  [ "$again" = 127 ] || status=$again
done
# Told to stop before Java was up: nothing has been touched.
if [ "$status" = 143 ] && [ -n "$stopped" ]; then
  if [ -e "$dir/buffer.db" ]; then status=4; else status=0; fi
fi
if [ -f "$report" ]; then
  for session in "$dir"/session-*; do :; done
  mv -- "$report" "$session/crash.log" 2> /dev/null
fi
exit "$status"
