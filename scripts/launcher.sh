#!/bin/sh
# EchoPost @VERSION@ in one file: this script, followed by a compressed archive (tar, gzip) with the program and its Java runtime.
# The first start unpacks the archive. The script then stays as the parent of the agent: it passes signals to the agent, exits
# with the agent's status, and restarts an agent that crashed.

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

# --- The agent's process -------------------------------------------------------------------------------------------------

# Runs the agent until it exits and sets $status. The agent survives if this script is killed.
run_agent() {
  [ ! -e "$report" ] && [ ! -h "$report" ] || rm -f -- "$report"
  options=${cause:+-Dechopost.restarted_after=$cause}
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
    options=-Dechopost.screens=
    [ ! -t 1 ] || options=${options}out
    [ ! -t 2 ] || options=$options-err
    exec_java "$@"
  }
  supervise "$@"
}
