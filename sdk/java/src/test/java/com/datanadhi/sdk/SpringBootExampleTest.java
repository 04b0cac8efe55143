package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.JavaProgram;
import com.google.gson.JsonObject;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The example application in {@code examples/spring-boot}, with a main server. */
class SpringBootExampleTest extends AbstractSdkTest {
  private static final Path EXAMPLE = Path.of("examples/spring-boot");
  private static final Pattern STARTED = Pattern.compile("Tomcat started on port (\\d+).*");

  @Test
  void what_it_logs_at_its_start_for_a_request_and_at_its_end_arrives() throws Exception {
    Path classes = compile();
    Process process =
        JavaProgram.start(
            directory,
            Map.of(
                "DATANADHI_SERVER_HOST",
                main.url(),
                "DATANADHI_FALLBACK_SERVER_HOST",
                fallback.url(),
                "DATANADHI_ECHOPOST_DISABLE",
                "true",
                "DATANADHI_EXIT_TIMEOUT",
                "60",
                "SERVER_ADDRESS",
                "127.0.0.1",
                "SERVER_PORT",
                "0"),
            List.of(
                "-cp",
                classes
                    + ":"
                    + EXAMPLE.resolve("src/main/resources").toAbsolutePath()
                    + ":"
                    + classPath(),
                "com.example.shop.ShopApplication"));
    closeAfterTest(process::destroyForcibly);
    await().atMost(TIME_LIMIT).until(() -> port().isPresent());
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + port().orElseThrow() + "/orders/1003"))
            .build();
    assertThat(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body())
        .isEqualTo("order 1003\n");
    await().atMost(TIME_LIMIT).until(() -> messages().contains("order 1003 was read"));
    process.destroy();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();

    assertThat(messages())
        .anyMatch(message -> message.startsWith("Starting ShopApplication"))
        .anyMatch(message -> message.startsWith("Started ShopApplication"))
        .contains("the shop is closing");
    assertThat(main.deliveries())
        .allSatisfy(
            delivery -> assertThat(delivery.body().get("pipelines")).hasToString("[\"orders\"]"));
    assertThat(main.deliveries())
        .filteredOn(delivery -> message(delivery.body()).equals("order 1003 was read"))
        .singleElement()
        .satisfies(delivery ->
            assertThat(delivery.body().getAsJsonObject("log_data").getAsJsonObject("context"))
                .hasToString("{\"order\":1003}"));
    assertThat(dropped()).isEmpty();
  }

  /** Of the tests, but without Log4j, to which Spring would log. */
  private static String classPath() {
    return Pattern.compile(File.pathSeparator)
        .splitAsStream(System.getProperty("java.class.path"))
        .filter(entry -> !entry.contains("/log4j-"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** Its own build takes the same version of Spring Boot and the jar of this build. */
  @Test
  void its_pom_has_the_tested_versions() throws Exception {
    String example = Files.readString(EXAMPLE.resolve("pom.xml"));
    String sdk = Files.readString(Path.of("pom.xml"));
    assertThat(sdk)
        .contains("<spring-boot.version>%s<".formatted(versionAfter(example, "-starter-parent")));
    assertThat(versionAfter(example, "datanadhi-sdk"))
        .isEqualTo(versionAfter(sdk, "<artifactId>datanadhi-sdk"));
  }

  private static String versionAfter(String pom, String artifact) {
    Matcher version =
        Pattern.compile(Pattern.quote(artifact) + "</artifactId>\\s*<version>([^<]+)").matcher(pom);
    assertThat(version.find()).isTrue();
    return version.group(1);
  }

  private Optional<String> port() {
    return messages().stream()
        .map(STARTED::matcher)
        .filter(Matcher::matches)
        .map(started -> started.group(1))
        .findAny();
  }

  private List<String> messages() {
    return main.deliveries().stream().map(delivery -> message(delivery.body())).toList();
  }

  private static String message(JsonObject body) {
    return body.getAsJsonObject("log_data").get("message").getAsString();
  }

  private Path compile() throws Exception {
    try (Stream<Path> all = Files.walk(EXAMPLE.resolve("src/main/java"))) {
      return JavaProgram.compile(
          directory.resolve("classes"),
          all.filter(file -> file.toString().endsWith(".java")).toList());
    }
  }
}
