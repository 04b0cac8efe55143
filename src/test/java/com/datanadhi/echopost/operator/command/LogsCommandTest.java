package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

@SuppressWarnings("StringConcatToTextBlock") // easier to compare with the output
class LogsCommandTest extends CommandFixture {
  @Test
  void the_newest_session_or_all_sessions_are_printed() throws Exception {
    Path first = Files.createDirectory(target.resolve("session-2026-01-02T03-04-05Z"));
    Path second = Files.createDirectory(target.resolve("session-2026-01-02T03-04-05Z-2"));
    Files.writeString(
        first.resolve("agent.log"), "{\"time\":\"t1\",\"level\":\"INFO\",\"event\":\"one\"}\n");
    Files.writeString(first.resolve("crash.log"), "x");
    Files.writeString(
        second.resolve("agent.log"),
        "{\"time\":\"t2\",\"level\":\"WARNING\",\"event\":\"two\",\"n\":7,\"text\":\"a"
            + " \\u001b[31m\"}\n"
            + "{\"time\":\"cut");
    assertThat(run("logs")).isEqualTo("t2  WARNING  two  n=7 text=\"a  [31m\"\n{\"time\":\"cut\n");
    assertThat(run("logs -all"))
        .isEqualTo(
            "== session-2026-01-02T03-04-05Z\n"
                + "t1  INFO     one\n"
                + "== session-2026-01-02T03-04-05Z-2\n"
                + "t2  WARNING  two  n=7 text=\"a  [31m\"\n"
                + "{\"time\":\"cut\n");
    assertThat(standardError()).contains("the agent crashed: see ", "crash.log");
    assertThat(run("logs -all -json")).hasLineCount(3).startsWith("{\"time\":\"t1\"");
  }
}
