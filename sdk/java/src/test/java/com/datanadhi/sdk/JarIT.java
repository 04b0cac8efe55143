package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.Application;
import com.datanadhi.sdk.testkit.GsonApplication;
import com.datanadhi.sdk.testkit.TracedApplication;
import com.google.gson.JsonObject;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarInputStream;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
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

  static Stream<Arguments> ways() throws Exception {
    return Stream.concat(Stream.of(Path.of(System.getProperty("java.home"))), jdk25().stream())
        .flatMap(home -> Stream.of(Arguments.of(home, true), Arguments.of(home, false)));
  }

  /** The JDK that builds EchoPost, which can be another one than that of this test. */
  private static Optional<Path> jdk25() throws Exception {
    Process found =
        new ProcessBuilder("sh", "-c", ". ../../scripts/find-jdk.sh; find_jdk25")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String home = new String(found.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    return found.waitFor() == 0 ? Optional.of(Path.of(home)) : Optional.empty();
  }

  @ParameterizedTest
  @MethodSource("ways")
  void the_jar_works_on_the_module_path_and_on_the_class_path_without_warnings(
      Path javaHome, boolean asModule) throws Exception {
    main.goDown();
    Agents.install(directory);
    Path tests = place(Application.class);
    String java = javaHome.resolve("bin/java").toString();
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
    List<String> command = new ArrayList<>(path);
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
    assertThat(output)
        .contains("done true")
        .doesNotContain("Exception:", "ServiceLoader", "Unsafe", "terminally deprecated");
    // If the agent starts slowly, the records go to the fallback server; it is started in any case.
    assertThat(output).containsAnyOf("deliveredToEchoPost=10", "deliveredToFallback=10");
    assertThat(Agents.starts(directory)).isPositive();
  }

  @Test
  void a_modular_application_compiles_and_runs_with_the_jar_alone() throws Exception {
    Path sources = Files.createDirectories(directory.resolve("shop"));
    Files.writeString(
        sources.resolve("module-info.java"), "module shop { requires com.datanadhi.sdk; }");
    Files.writeString(
        sources.resolve("Shop.java"),
        """
        package shop;

        import com.datanadhi.sdk.DataNadhi;
        import com.datanadhi.sdk.DataNadhiConfiguration;
        import com.datanadhi.sdk.SubmitResult;
        import java.nio.file.Path;
        import java.util.List;
        import java.util.Map;

        public class Shop {
          public static void main(String[] args) {
            DataNadhiConfiguration configuration =
                DataNadhiConfiguration.builder(Path.of(args[0]))
                    .apiKey("key")
                    .serverHost(args[1])
                    .echoPostDisabled(true)
                    .build();
            try (DataNadhi client = DataNadhi.open(configuration)) {
              SubmitResult result = client.submit(List.of("orders"), Map.of("order", 1003));
              System.out.println(result);
            }
          }
        }
        """);
    Path classes = directory.resolve("classes");
    StringWriter messages = new StringWriter();
    int status =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(
                new PrintWriter(messages),
                new PrintWriter(messages),
                "-Xlint:all",
                "-Werror",
                "-p",
                jar().toString(),
                "-d",
                classes.toString(),
                sources.resolve("module-info.java").toString(),
                sources.resolve("Shop.java").toString());
    assertThat(status).as(messages::toString).isZero();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-p",
                jar() + ":" + classes,
                "-m",
                "shop/shop.Shop",
                directory.toString(),
                main.url())
            .redirectErrorStream(true)
            .start();
    closeAfterTest(process::destroyForcibly);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.getInputStream().readAllBytes()).asString().isEqualTo("ACCEPTED\n");
    assertThat(main.deliveries()).hasSize(1);
  }

  @Test
  void each_library_in_the_jar_has_its_notice_and_a_licence() throws IOException {
    try (JarFile jar = new JarFile(jar().toFile())) {
      assertThat(text(jar, "META-INF/LICENSE")).contains("GNU AFFERO GENERAL PUBLIC LICENSE");
      assertThat(text(jar, "META-INF/licenses/Apache-2.0.txt"))
          .contains("Apache License", "END OF TERMS AND CONDITIONS");
      List<String> packages =
          Pattern.compile("Package: (\\S+)")
              .matcher(text(jar, "META-INF/NOTICE"))
              .results()
              .map(found -> found.group(1).replace('.', '/') + "/")
              .toList();
      List<String> classes =
          jar.stream()
              .map(JarEntry::getName)
              .filter(name -> name.startsWith("com/datanadhi/sdk/shaded/") && !name.endsWith("/"))
              .toList();
      assertThat(classes)
          .isNotEmpty()
          .allMatch(name -> packages.stream().anyMatch(name::startsWith));
      assertThat(packages).allMatch(named -> classes.stream().anyMatch(c -> c.startsWith(named)));
    }
  }

  @Test
  void the_versions_in_the_notice_are_those_of_the_libraries() throws IOException {
    String classPath = System.getProperty("java.class.path");
    Map<String, String> artifacts =
        Map.of(
            "Failure Access", "failureaccess",
            "gRPC", "grpc-okhttp",
            "Gson", "gson",
            "Guava", "guava",
            "Kotlin standard library", "kotlin-stdlib",
            "Okio", "okio-jvm",
            "PerfMark", "perfmark-api",
            "SnakeYAML", "snakeyaml");
    try (JarFile jar = new JarFile(jar().toFile())) {
      List<MatchResult> libraries =
          Pattern.compile("^(\\S.*) (\\S+)\n {4}Package", Pattern.MULTILINE)
              .matcher(text(jar, "META-INF/NOTICE"))
              .results()
              .toList();
      assertThat(libraries).hasSameSizeAs(artifacts.keySet());
      for (MatchResult library : libraries) {
        String file = artifacts.get(library.group(1)) + "-" + library.group(2) + ".jar";
        assertThat(classPath)
            .as("src/main/resources/META-INF/NOTICE has another version of " + library.group(1))
            .contains("/" + file);
      }
    }
  }

  @Test
  void the_manifest_comes_first_and_names_the_sdk_and_its_version() throws IOException {
    try (JarInputStream jar = new JarInputStream(Files.newInputStream(jar()))) {
      assertThat(jar.getManifest()).isNotNull();
      Map<String, String> attributes = new HashMap<>();
      jar.getManifest()
          .getMainAttributes()
          .forEach((name, value) -> attributes.put(name.toString(), value.toString()));
      assertThat(attributes)
          .containsEntry("Implementation-Title", "Data Nadhi SDK for Java")
          .containsEntry("Implementation-Version", "1.0.0")
          .containsEntry("Implementation-Vendor", "Data Nadhi")
          .containsKey("Build-Jdk-Spec")
          .doesNotContainKeys("Multi-Release", "Build-Jdk", "Built-By", "Automatic-Module-Name");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-sources", "-javadoc"})
  void every_entry_of_a_jar_has_the_time_of_the_release_so_that_builds_are_reproducible(String kind)
      throws IOException {
    try (JarFile jar = new JarFile(jar(kind).toFile())) {
      assertThat(jar.stream().map(entry -> entry.getTimeLocal()).distinct()).hasSize(1);
    }
  }

  @Test
  void the_sources_jar_has_the_source_of_each_class_of_the_sdk() throws IOException {
    try (JarFile jar = new JarFile(jar().toFile());
        JarFile sources = new JarFile(jar("-sources").toFile())) {
      List<String> files =
          jar.stream()
              .map(JarEntry::getName)
              .filter(name -> name.startsWith("com/datanadhi/sdk/") && name.endsWith(".class"))
              .filter(name -> !name.startsWith("com/datanadhi/sdk/shaded/"))
              .map(name -> name.replaceFirst("(\\$.*)?\\.class$", ".java"))
              .distinct()
              .toList();
      assertThat(sources.stream().map(JarEntry::getName)).containsAll(files);
      assertThat(files).contains("com/datanadhi/sdk/DataNadhi.java");
      assertThat(sources.getEntry("META-INF/LICENSE")).isNotNull();
    }
  }

  @Test
  void the_javadoc_jar_has_the_public_packages_only() throws IOException {
    try (JarFile jar = new JarFile(jar("-javadoc").toFile())) {
      assertThat(jar.stream().map(JarEntry::getName))
          .filteredOn(name -> name.endsWith("/package-summary.html"))
          .map(name -> name.replace("/package-summary.html", "").replace('/', '.'))
          .containsExactlyInAnyOrderElementsOf(publicPackages());
      assertThat(jar.getEntry("com/datanadhi/sdk/DataNadhi.html")).isNotNull();
    }
  }

  @Test
  void the_public_packages_are_null_marked() throws Exception {
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {jar().toUri().toURL()}, new AnnotationsOnly())) {
      for (String named : publicPackages()) {
        Class<?> info = Class.forName(named + ".package-info", false, loader);
        assertThat(info.isAnnotationPresent(NullMarked.class)).as(named).isTrue();
      }
    }
  }

  /** Has the annotation, and not the classes of the SDK that this test was compiled against. */
  private static final class AnnotationsOnly extends ClassLoader {
    AnnotationsOnly() {
      super(ClassLoader.getPlatformClassLoader());
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      if (name.equals(NullMarked.class.getName())) {
        return NullMarked.class;
      }
      throw new ClassNotFoundException(name);
    }
  }

  private static List<String> publicPackages() {
    return ModuleFinder.of(jar())
        .find("com.datanadhi.sdk")
        .orElseThrow()
        .descriptor()
        .exports()
        .stream()
        .map(ModuleDescriptor.Exports::source)
        .toList();
  }

  private static Path jar(String kind) {
    return jar().resolveSibling(jar().getFileName().toString().replace(".jar", kind + ".jar"));
  }

  private static String text(JarFile jar, String entry) throws IOException {
    assertThat(jar.getEntry(entry)).as(entry).isNotNull();
    return new String(
        jar.getInputStream(jar.getEntry(entry)).readAllBytes(), StandardCharsets.UTF_8);
  }
}
