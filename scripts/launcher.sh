#!/bin/sh
# EchoPost in one file: this script, and behind its last line the program's jar. It finds a JDK 25 and becomes it.
umask 077
fail() { printf 'echopost: %s\n' "$1" >&2; exit 1; }
is25() { [ -x "$1/bin/java" ] && grep -q '^JAVA_VERSION="25[".]' "$1/release" 2>/dev/null; }
self=$0
case $self in */*) ;; *) self=$(command -v -- "$self") || fail "cannot find my own file: start me by a path" ;; esac
java_home=
for home in "${ECHOPOST_JAVA_HOME-}" "${JAVA_HOME-}" /usr/lib/jvm/*25* /opt/java/openjdk /opt/*jdk*25* \
    "${HOME-}"/.sdkman/candidates/java/25* "${HOME-}"/.jdks/*25* /Library/Java/JavaVirtualMachines/*25*/Contents/Home; do
  if [ -n "$home" ] && is25 "$home"; then java_home=$home; break; fi
done
[ -n "$java_home" ] || fail "needs Java 25: install a JDK 25, or name one in ECHOPOST_JAVA_HOME"
exec "$java_home/bin/java" \
  --enable-preview --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -XX:+UseSerialGC -Xms16m -Xmx64m -XX:MaxDirectMemorySize=64m -Xss512k -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=24m \
  -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData -Xshare:auto -Xlog:disable -Xlog:all=error:stderr \
  -Djdk.virtualThreadScheduler.parallelism=4 -Dio.netty.noUnsafe=false -Dio.netty.leakDetection.level=disabled \
  -jar "$self" "$@"
exit 1
