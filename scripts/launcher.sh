#!/bin/sh
# EchoPost in one file: this script, and behind its last line the program's jar. It finds a JDK 25 and becomes it.
umask 077
# File names are bytes; Java reads them by the locale. And nobody else's options are for this JVM.
LC_ALL=C.UTF-8
export LC_ALL
unset JAVA_TOOL_OPTIONS _JAVA_OPTIONS
fail() { printf 'echopost: %s\n' "$1" >&2; exit 1; }
#include find-jdk.sh
self=$0
case $self in */*) ;; *) self=$(command -v -- "$self") || fail "cannot find my own file: start me by a path" ;; esac
java_home=$(find_jdk25) || fail "needs Java 25: install a JDK 25, or name its home in ECHOPOST_JAVA_HOME${ECHOPOST_JAVA_HOME+ (now $ECHOPOST_JAVA_HOME)}"
# Out of memory is a crash (SIGABRT): exit status 3, which is what the JVM would say otherwise, means something else here.
# Preview: StructuredTaskScope. Parallelism: a read of the buffer pins its carrier thread, the others must go on.
exec "$java_home/bin/java" \
  --enable-preview --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -XX:+UseSerialGC -Xms16m -Xmx64m -XX:MaxDirectMemorySize=256m -Xss512k -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=24m \
  -XX:+CrashOnOutOfMemoryError -XX:ErrorFile=/dev/null -XX:-CreateCoredumpOnCrash -XX:-UsePerfData -Xlog:disable -Xlog:all=error:stderr \
  -Djdk.virtualThreadScheduler.parallelism=4 -Dio.netty.noUnsafe=false -Dio.netty.leakDetection.level=disabled \
  -jar "$self" "$@"
exit 1
