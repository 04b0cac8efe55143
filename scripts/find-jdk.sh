# find_jdk25: prints the home of a JDK 25, or fails. For the scripts that source this file.
is_jdk25() { [ -x "$1/bin/java" ] && grep -q '^JAVA_VERSION="25[".]' "$1/release" 2>/dev/null; }
find_jdk25() {
  if [ -n "${ECHOPOST_JAVA_HOME-}" ]; then is_jdk25 "$ECHOPOST_JAVA_HOME" && printf '%s\n' "$ECHOPOST_JAVA_HOME"; return; fi
  for home in "${JAVA_HOME-}" /usr/lib/jvm/*25* /usr/lib64/jvm/*25* /usr/java/*25* /opt/java/openjdk \
      /opt/*25* "${HOME-}"/.sdkman/candidates/java/25* "${HOME-}"/.jdks/*25* \
      /Library/Java/JavaVirtualMachines/*25*/Contents/Home /opt/homebrew/opt/openjdk@25/libexec/openjdk.jdk/Contents/Home; do
    if [ -n "$home" ] && is_jdk25 "$home"; then printf '%s\n' "$home"; return 0; fi
  done
  home=$(command -v java) && home=$(readlink -f "$home") && home=${home%/bin/java} && is_jdk25 "$home" && printf '%s\n' "$home"
}
