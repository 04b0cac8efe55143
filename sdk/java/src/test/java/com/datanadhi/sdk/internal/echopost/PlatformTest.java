package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {
  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux, amd64",
    "Linux, x86_64, linux, amd64",
    "Linux, aarch64, linux, arm64",
    "Mac OS X, x86_64, darwin, amd64",
    "Mac OS X, aarch64, darwin, arm64",
    "Darwin, arm64, , ",
    "Linux, riscv64, , ",
    "Linux, i386, , ",
    "Windows 11, amd64, , ",
    "FreeBSD, amd64, , "
  })
  void only_linux_and_macos_on_amd64_and_arm64_are_supported(
      String osName, String osArch, String os, String arch) {
    assertThat(Platform.of(osName, osArch))
        .isEqualTo(java.util.Optional.ofNullable(os).map(o -> new Platform(o, arch)));
  }
}
