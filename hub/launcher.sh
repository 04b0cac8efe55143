#!/bin/sh
# The EchoPost hub @VERSION@ in one file: this script, followed by a compressed archive (tar, gzip) with the program and its Java
# runtime. The first start unpacks the archive. The script then becomes the program's JVM, which gets all signals itself; a service
# manager restarts a hub that dies.

# Ends a start before the JVM runs. A hub that has not started has nothing to finish.
stop() {
  end_start
  [ -z "$unpacking" ] || rm -rf -- "$unpacking"
  unlock_cache
  exit 0
}

main() {
  prepare_environment
  check_address_space
  find_self

  # Reads --data, for a place for the runtime if there is no cache directory, and for the report of a crash.
  dir=${HUB_DATA:-hub-data} flag=
  for word in "$@"; do
    case $flag$word in
      --data=*) dir=${word#*=} ;;
      --data) flag=dir: ;;
      dir:*) dir=$word flag= ;;
    esac
  done
  case $dir in
    /*) ;;
    *) has_working_directory || fail "the directory $dir is below the working directory, which no longer exists: use an absolute path" ;;
  esac

  unpacking= lock= mark= options=
  trap stop TERM INT
  # Before the hub can rotate its log, there is nothing to rotate.
  trap : HUP
  choose_cache

  report=$dir
  [ -d "$dir" ] && [ -w "$dir" ] || report=$cache
  case $report in /*) ;; *) report=$PWD/$report ;; esac
  # Java replaces %p by the process id, and %% by %.
  error_file=$(printf '%s\n' "$report" | sed 's/%/%%/g')/crash-%p.log
  exec_java "$@"
}
