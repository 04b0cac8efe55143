package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.Certificates;
import com.datanadhi.sdk.testkit.FileServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Nothing is downloaded unless the mode says so. */
class EchoPostModeTest extends AbstractSdkTest {
  private Path program() {
    return directory.resolve("echopost/echopost");
  }

  private static void awaitStatus(DataNadhi client, EchoPostState.Status status) {
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> assertThat(client.counters().echoPost().status()).isEqualTo(status));
  }

  @ParameterizedTest
  @EnumSource(names = {"NEVER", "ONLY_IF_PRESENT"})
  void nothing_is_downloaded(EchoPostMode mode) throws Exception {
    main.goDown();
    FileServer files = closeAfterTest(FileServer.withProgram());
    DataNadhi client = open(configuration().downloadUrl(files.url()).echoPostMode(mode));
    awaitStatus(
        client,
        mode == EchoPostMode.NEVER
            ? EchoPostState.Status.DISABLED
            : EchoPostState.Status.NOT_INSTALLED);
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 10));
    client.close();
    assertThat(files.requestedPaths()).isEmpty();
    assertThat(directory.resolve("echopost")).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource(names = {"NEVER", "ONLY_IF_PRESENT"})
  void no_http_client_is_made_for_downloads(EchoPostMode mode) throws Exception {
    Set<Thread> earlier = httpClients();
    DataNadhi client = open(configuration().echoPostMode(mode));
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    Set<Thread> made = httpClients();
    made.removeAll(earlier);
    assertThat(made).hasSize(1);
  }

  @Test
  void a_later_download_does_not_read_the_certificates_again() throws Exception {
    Certificates authority = new Certificates(directory);
    FileServer files = closeAfterTest(new FileServer(authority.server("localhost")));
    Agents.install(directory);
    Files.writeString(directory.resolve("echopost/.sdk-update"), "");
    DataNadhi client =
        closeAfterTest(
            newClient(
                configuration()
                    .downloadUrl(files.url().replace("127.0.0.1", "localhost"))
                    .caFile(authority.authority().toString())
                    .build(),
                updatedEvery(Duration.ofSeconds(2))));
    awaitStatus(client, EchoPostState.Status.READY);
    Files.delete(authority.authority());
    await().atMost(TIME_LIMIT).until(() -> !files.requestedPaths().isEmpty());
  }

  /** Each client of the JDK has such a thread. */
  private static Set<Thread> httpClients() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().matches("HttpClient-\\d+-SelectorManager"))
        .collect(Collectors.toSet());
  }

  @Test
  void a_program_that_is_installed_is_used_without_looking_for_another() throws Exception {
    main.goDown();
    fallback.goDown();
    FileServer files = closeAfterTest(FileServer.withProgram());
    Agents.install(directory);
    DataNadhi client = open(configuration(files));
    awaitStatus(client, EchoPostState.Status.READY);
    submit(client, 0, 10);
    assertNoRecordIsLost(client, 10);
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(10);
    assertThat(files.requestedPaths()).isEmpty();
  }

  private DataNadhiConfiguration.Builder configuration(FileServer files) {
    return configuration().downloadUrl(files.url()).echoPostMode(EchoPostMode.ONLY_IF_PRESENT);
  }

  @Test
  void a_program_that_is_installed_later_is_used() throws Exception {
    main.goDown();
    FileServer files = closeAfterTest(FileServer.withProgram());
    DataNadhi client = open(configuration(files));
    awaitStatus(client, EchoPostState.Status.NOT_INSTALLED);
    assertThat(client.counters().echoPost().detail()).contains(program() + " is missing");
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    Agents.install(directory);
    submit(client, 1, 2);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(1);
    assertThat(files.requestedPaths()).isEmpty();
  }

  @Test
  void a_program_that_does_not_start_stays_and_is_tried_again() throws Exception {
    main.goDown();
    FileServer files = closeAfterTest(FileServer.withProgram());
    install("#!/bin/sh\nexit 2\n");
    DataNadhi client = open(configuration(files));
    awaitStatus(client, EchoPostState.Status.READY);
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    awaitStatus(client, EchoPostState.Status.COOLING_DOWN);
    assertThat(program()).hasContent("#!/bin/sh\nexit 2\n");

    Agents.install(directory);
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          int next = (int) client.counters().submitted();
          submit(client, next, next + 1);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(client.counters().deliveredToEchoPost()).isPositive();
        });
    assertThat(files.requestedPaths()).isEmpty();
  }

  @Test
  void a_file_that_is_no_program_is_not_run_and_stays() throws Exception {
    FileServer files = closeAfterTest(FileServer.withProgram());
    String page = "touch '%s'\n".formatted(directory.resolve("it-ran"));
    install(page);
    DataNadhi client = open(configuration(files));
    awaitStatus(client, EchoPostState.Status.NOT_INSTALLED);
    main.goDown();
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().echoPost().detail()).contains("is not a program");
    assertThat(program()).hasContent(page);
    assertThat(directory.resolve("it-ran")).doesNotExist();
  }

  private void install(String content) throws IOException {
    Files.createDirectories(program().getParent());
    Files.writeString(program(), content);
    Files.setPosixFilePermissions(program(), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @ParameterizedTest
  @CsvSource({
    "auto, false, AUTO",
    "Only-If-Present, false, ONLY_IF_PRESENT",
    "never, false, NEVER",
    "auto, true, NEVER",
    "only-if-present, true, NEVER"
  })
  void disable_true_wins_over_every_mode(String mode, String disable, EchoPostMode expected)
      throws Exception {
    Map<String, String> environment = new HashMap<>();
    environment.put("DATANADHI_API_KEY", "test-key");
    environment.put("DATANADHI_ECHOPOST_MODE", mode);
    environment.put("DATANADHI_ECHOPOST_DISABLE", disable);
    DataNadhiConfiguration loaded = DataNadhiConfiguration.load(directory, environment);
    assertThat(loaded.echoPostMode()).isEqualTo(expected);
    assertThat(loaded.echoPostDisabled()).isEqualTo(expected == EchoPostMode.NEVER);
    assertThat(loaded.toBuilder().build().echoPostMode()).isEqualTo(expected);
  }

  @Test
  void the_mode_can_be_in_the_file_or_a_system_property() throws Exception {
    Files.writeString(directory.resolve("config.yml"), "echopost: {mode: never}\n");
    Map<String, String> key = Map.of("DATANADHI_API_KEY", "test-key");
    assertThat(DataNadhiConfiguration.load(directory, key).echoPostMode())
        .isEqualTo(EchoPostMode.NEVER);
    System.setProperty("datanadhi.echopost.mode", "only-if-present");
    try {
      assertThat(DataNadhiConfiguration.load(directory, key).echoPostMode())
          .isEqualTo(EchoPostMode.ONLY_IF_PRESENT);
    } finally {
      System.clearProperty("datanadhi.echopost.mode");
    }
  }

  @Test
  void an_unknown_mode_is_an_error_that_names_the_modes() {
    Map<String, String> environment =
        Map.of("DATANADHI_API_KEY", "test-key", "DATANADHI_ECHOPOST_MODE", "maybe");
    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, environment))
        .isInstanceOf(ConfigurationException.class)
        .hasMessage(
            "environment: DATANADHI_ECHOPOST_MODE: \"maybe\" is not auto, only-if-present or never");
  }
}
