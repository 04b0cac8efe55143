package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.Application;
import com.datanadhi.sdk.testkit.GsonApplication;
import com.datanadhi.sdk.testkit.TracedApplication;
import com.google.gson.JsonObject;
import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The published jar. */
class JarIT extends AbstractSdkTest {
  private static Path jar() {
    return Path.of(System.getProperty("sdk.jar"));
  }

  @Test
  void the_jar_contains_only_classes_and_services_in_packages_of_the_sdk() throws IOException {
    try (JarFile jar = new JarFile(jar().toFile())) {
      assertThat(jar.stream().map(entry -> entry.getName()))
          .filteredOn(name -> !name.endsWith("/") && !name.startsWith("META-INF/"))
          .allMatch(
              name -> name.startsWith("com/datanadhi/sdk/") || name.equals("module-info.class"));
      assertThat(jar.stream().map(entry -> entry.getName()))
          .filteredOn(name -> name.startsWith("META-INF/services/") && !name.endsWith("/"))
          .allMatch(name -> name.startsWith("META-INF/services/com.datanadhi.sdk.shaded."));
    }
  }

  @Test
  void the_module_exports_only_the_public_packages() {
    ModuleDescriptor module =
        ModuleFinder.of(jar()).find("com.datanadhi.sdk").orElseThrow().descriptor();
    assertThat(module.exports().stream().map(ModuleDescriptor.Exports::source))
        .containsExactlyInAnyOrder(
            "com.datanadhi.sdk",
            "com.datanadhi.sdk.jul",
            "com.datanadhi.sdk.log4j",
            "com.datanadhi.sdk.logback",
            "com.datanadhi.sdk.micrometer",
            "com.datanadhi.sdk.opentelemetry");
  }

  @Test
  void the_published_pom_has_no_required_dependency_no_parent_and_no_build() throws IOException {
    String pom = Files.readString(jar().resolveSibling("published-pom.xml"));
    assertThat(pom)
        .contains("<artifactId>datanadhi-sdk</artifactId>")
        .doesNotContain("<parent>", "<build>", "<dependencyManagement>", "${");
    String[] dependencies = pom.split("<dependency>");
    assertThat(dependencies).hasSizeGreaterThan(1);
    for (int i = 1; i < dependencies.length; i++) {
      assertThat(dependencies[i]).containsAnyOf("<optional>true", "<scope>provided");
    }
  }

  @Test
  void a_tree_of_the_gson_of_the_application_is_taken_as_json() throws Exception {
    String classPath = jar() + ":" + place(GsonApplication.class) + ":" + place(JsonObject.class);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                GsonApplication.class.getName(),
                directory.toString(),
                main.url())
            .inheritIO()
            .start();
    closeAfterTest(process::destroyForcibly);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(main.deliveries())
        .singleElement()
        .satisfies(delivery ->
            assertThat(delivery.body().get("log_data")).hasToString("{\"tree\":[1,{}]}"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_record_has_the_span_of_opentelemetry_on_the_module_path_and_on_the_class_path(
      boolean asModule) throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s'}\nechopost: {disable: true}".formatted(main.url()));
    String libraries =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> entry.matches(".*/opentelemetry-(api|context|common)-[^/]*[.]jar"))
            .collect(Collectors.joining(File.pathSeparator, jar() + File.pathSeparator, ""));
    String tests = place(TracedApplication.class).toString();
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    if (asModule) {
      command.addAll(
          List.of("-p", libraries, "--add-modules", "com.datanadhi.sdk,io.opentelemetry.api"));
    }
    command.addAll(List.of("-cp", asModule ? tests : libraries + File.pathSeparator + tests));
    String trace = "0af7651916cd43dd8448eb211c80319c";
    String span = "b7ad6b7169203331";
    command.addAll(List.of(TracedApplication.class.getName(), directory.toString(), trace, span));
    Process process = new ProcessBuilder(command).inheritIO().start();
    closeAfterTest(process::destroyForcibly);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(main.deliveries())
        .singleElement()
        .satisfies(delivery -> {
          JsonObject payload = delivery.body().getAsJsonObject("log_data");
          assertThat(payload.get("trace_id").getAsString()).isEqualTo(trace);
          assertThat(payload.get("span_id").getAsString()).isEqualTo(span);
          assertThat(payload.getAsJsonObject("resource").get("telemetry.sdk.version").getAsString())
              .matches("[0-9.]+");
        });
  }

  private static Path place(Class<?> type) throws Exception {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void the_jar_works_on_the_module_path_and_on_the_class_path(boolean asModule) throws Exception {
    main.goDown();
    Agents.install(directory);
    Path tests = place(Application.class);
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    List<String> path =
        asModule
            ? List.of(
                java,
                "-p",
                jar().toString(),
                "--add-modules",
                "com.datanadhi.sdk",
                "-cp",
                tests.toString())
            : List.of(java, "-cp", jar() + ":" + tests);
    List<String> command = new java.util.ArrayList<>(path);
    command.addAll(
        List.of(
            Application.class.getName(),
            directory.toString(),
            main.url(),
            fallback.url(),
            "1",
            "10",
            "0"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    closeAfterTest(process::destroyForcibly);
    process.getOutputStream().write("\n\n".getBytes(StandardCharsets.US_ASCII));
    process.getOutputStream().flush();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(output).contains("done true").doesNotContain("Exception:", "ServiceLoader");
    // If the agent starts slowly, the records go to the fallback server; it is started in any case.
    assertThat(output).containsAnyOf("deliveredToEchoPost=10", "deliveredToFallback=10");
    assertThat(Agents.starts(directory)).isPositive();
  }
}
