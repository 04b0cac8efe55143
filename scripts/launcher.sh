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
case $self in */*) ;; *) if [ -f "./$self" ]; then self=./$self; else self=$(command -v -- "$self"); fi ;; esac
[ -f "$self" ] || fail "cannot find my own file: start me by a path"

# -datanadhi, by the rules of Go's flags, before or behind the word that names a command.
dir=.datanadhi flag= command=
for word in "$@"; do
  case $flag$word in
    -datanadhi-value:*) dir=$word flag= ;;
    -other-value:*) flag= ;;
    -datanadhi=* | --datanadhi=*) dir=${word#*=} ;;
    -datanadhi | --datanadhi) flag=-datanadhi-value: ;;
    -api-key | --api-key | -health-url | --health-url) flag=-other-value: ;;
    --) break ;;
    -?*) ;;
    *) command=1 ;;
  esac
done

# What can be seen of the unpacked files without reading them: all have the same old date, so a change shows.
look() { cd -- "$1" && LC_ALL=C TZ=UTC0 exec ls -lnd app/* bin/* lib/* lib/server/* 2>&1; }
sound() { [ -f "$1/list" ] && [ "$(look "$1")" = "$(cat "$1/list")" ]; }
# Ours, and nobody else can write to it.
trusted() { [ -O "$1" ] && case $(LC_ALL=C exec ls -ld -- "$1") in d????-??-*) ;; *) false ;; esac; }

# A signal is for the agent. One that comes while Java is not up yet would be lost, or taken for a failure: it is held back
# until the agent has taken its directory.
agent= starting= stopped= signalled= new= lock=
on_signal() {
  stopped=1 signalled=1
  [ -n "$starting" ] || leave_early
  [ -n "$agent" ] || return
  tries=0 owner=
  until [ "$owner" = "$agent" ] || [ "$tries" -ge 60 ] || ! kill -0 "$agent" 2> /dev/null; do
    tries=$((tries + 1))
    sleep 0.05 2> /dev/null || sleep 1
    read -r owner 2> /dev/null < "$dir/agent.lock"
  done
  kill -TERM "$agent" 2> /dev/null
}
# Told to stop before there was an agent: nothing has been touched.
leave_early() {
  [ -z "$new" ] || rm -rf -- "$new"
  unlock
  if [ -e "$dir/buffer.db" ]; then exit 4; else exit 0; fi
}
trap on_signal TERM INT HUP

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
unpack() {
  for left in "$1"/.new-*; do kill -0 "${left##*-}" 2> /dev/null || rm -rf -- "$left"; done
  new=$1/.new-$$
  rm -rf -- "$new"
  mkdir -- "$new" 2> /dev/null && { tail -n +@LINE@ -- "$self" | { gzip -dc || : > "$new/damaged"; } | (cd -- "$new" && tar -xof -); } 2> "$new/errors"
  unpacked=$?
  if [ "$unpacked" != 0 ] || [ -e "$new/damaged" ]; then
    why="$1 has no room (90 MB are needed), or $self is damaged"
  elif [ ! -x "$new/bin/java" ]; then
    why="$1 lets no program run"
  elif (look "$new") > "$new/list"; then
    # Somebody else may have been quicker. What is there and not sound has to go.
    sound "$runtime" || { [ -e "$runtime" ] && mv -- "$runtime" "$1/.new-0$$"; mv -- "$new" "$runtime"; } 2> /dev/null
    rm -rf -- "$1/.new-0$$" "$runtime/.new-$$" "$runtime/errors"
    why="$1 cannot be written"
  fi
  rm -rf -- "$new"
  new=
  sound "$runtime"
}
found= reasons=
for cache in "${ECHOPOST_RUNTIME_DIR-}" "${XDG_CACHE_HOME:+$XDG_CACHE_HOME/echopost}" "${HOME:+$HOME/.cache/echopost}" "$dir/.runtime"; do
  case $cache in '') continue ;; /*) ;; *) cache=$PWD/$cache ;; esac
  if unpacked_in "$cache"; then found=1; break; fi
  reasons="$reasons$why; "
done
[ -n "$found" ] || [ -d "$dir" ] || { printf 'echopost: %s\n' "cannot make the directory $dir: choose another with -datanadhi" >&2; exit 2; }
[ -n "$found" ] || fail "no place to unpack to: ${reasons}name a directory of your own with 90 MB of room in ECHOPOST_RUNTIME_DIR"

report=$cache/crash-$$.log
[ -w "$cache" ] || report=$dir/crash-$$.log
set -- -XX:AOTCache="$runtime/app/echopost.aot" -XX:ErrorFile="$report" @FLAGS@ \
  -Dorg.sqlite.lib.path="$runtime/lib" -Djava.library.path="$runtime/lib" \
  -cp "$runtime/app/echopost.jar" com.datanadhi.echopost.Main "$@"
# A command needs no parent, but the terminal, which a shell does not leave to what runs behind it.
[ -z "$command" ] || exec "$runtime/bin/java" "$@"
# The agent outlives this script.
starting=1
"$runtime/bin/java" "$@" &
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
# Java itself was told to stop before it was up.
if [ "$status" = 143 ] && [ -n "$stopped" ]; then leave_early; fi
if [ -f "$report" ]; then
  for session in "$dir"/session-*; do :; done
  mv -- "$report" "$session/crash.log" 2> /dev/null
fi
exit "$status"
