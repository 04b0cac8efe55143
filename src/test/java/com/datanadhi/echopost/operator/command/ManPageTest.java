package com.datanadhi.echopost.operator.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ManPageTest {
  private static final Path PAGE = Path.of("docs/echopost.1");

  @Test
  void the_man_page_is_generated_from_the_descriptions_of_the_commands() throws Exception {
    if (Boolean.getBoolean("echopost.write-manpage")) {
      Files.writeString(PAGE, ManPage.text());
    }
    assertThat(Files.readString(PAGE))
        .as("docs/echopost.1 is not up to date: run scripts/manpage")
        .isEqualTo(ManPage.text());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "groff -man -Tutf8 -ww -z docs/echopost.1",
        "mandoc -T lint -W warning docs/echopost.1"
      })
  void the_man_page_passes_the_checks_of_man_page_formatters(String line) throws Exception {
    List<String> command = List.of(line.split(" "));
    assumeTrue(
        Programs.isInstalled(command.getFirst()), "skipped: no " + command.getFirst() + " here");
    Process formatter = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(formatter.getInputStream().readAllBytes(), UTF_8);
    assertThat(formatter.waitFor()).as(output).isZero();
    assertThat(output).isEmpty();
  }
}
