package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.testkit.JavaProgram;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pages in {@code docs}: what they tell users to write works, and has the effect they show. */
class DocumentsTest extends AbstractSdkTest {
  private static final Path DOCUMENTS = Path.of("docs");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w+)\\n(.*?)^```$");

  /** The fenced blocks of a page in one language. */
  private static List<String> blocks(String page, String language) throws IOException {
    Matcher block = BLOCK.matcher(Files.readString(DOCUMENTS.resolve(page)));
    List<String> found = new ArrayList<>();
    while (block.find()) {
      if (block.group(1).equals(language)) {
        found.add(block.group(2));
      }
    }
    return found;
  }

  private static String block(String page, String language) throws IOException {
    return blocks(page, language).get(0);
  }

  @ParameterizedTest
  @CsvSource({
    "logback.md, logback.xml",
    "log4j2.md, log4j2.xml",
    "jul.md, logging.properties",
  })
  void a_page_shows_what_its_program_delivers_and_prints(String page, String configuration)
      throws Exception {
    List<String> options = prepare(page, configuration);

    assertThat(run(Map.of("DATANADHI_API_KEY", "test-key"), options)).isEmpty();
    assertThat(main.deliveries())
        .singleElement()
        .satisfies(delivery -> {
          JsonElement shown = JsonParser.parseString(block(page, "json"));
          assertContains(delivery.body(), shown);
        });

    assertThat(run(Map.of("DATANADHI_API_KEY", ""), options))
        .startsWith(block(page, "text").strip());
    assertThat(main.deliveries()).hasSize(1);
  }

  /** Writes the files that the page shows. */
  private List<String> prepare(String page, String configuration) throws Exception {
    String language = configuration.replaceFirst(".*\\.", "");
    List<String> shown = blocks(page, language);
    Files.writeString(directory.resolve(configuration), shown.get(shown.size() - 1));
    Path sdk = Files.createDirectories(directory.resolve(".datanadhi"));
    Files.writeString(
        sdk.resolve("config.yml"),
        block(page, "yaml").replace("http://data-nadhi-server:5000", main.url()));
    Path source = directory.resolve("Shop.java");
    Files.writeString(source, block(page, "java"));
    Path classes = JavaProgram.compile(directory.resolve("classes"), List.of(source));
    List<String> options = new ArrayList<>();
    Matcher option =
        Pattern.compile("`(-D\\S+)`").matcher(Files.readString(DOCUMENTS.resolve(page)));
    while (option.find()) {
      options.add(option.group(1));
    }
    options.addAll(
        List.of(
            "-cp",
            classes + ":" + directory + ":" + System.getProperty("java.class.path"),
            "Shop"));
    return options;
  }

  /** Runs the program until it ends; returns what it prints on its standard error stream. */
  private String run(Map<String, String> environment, List<String> arguments) throws Exception {
    Map<String, String> all = new HashMap<>(environment);
    // Nothing is fetched from a server on the internet.
    all.put("DATANADHI_ECHOPOST_DISABLE", "true");
    all.put("DATANADHI_FALLBACK_SERVER_HOST", fallback.url());
    // For a loaded machine: else the client may be closed before it has started.
    all.put("DATANADHI_EXIT_TIMEOUT", "60");
    Process process = JavaProgram.start(directory, all, arguments);
    closeAfterTest(process::destroyForcibly);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    return Files.readString(directory.resolve("errors"));
  }

  /** The timestamp differs each time; members that the page does not show may be there. */
  private static void assertContains(JsonElement actual, JsonElement shown) {
    if (!shown.isJsonObject()) {
      assertThat(actual).isEqualTo(shown);
      return;
    }
    shown
        .getAsJsonObject()
        .asMap()
        .forEach((name, value) -> {
          JsonElement found = actual.getAsJsonObject().get(name);
          assertThat(found).describedAs("%s in %s", name, actual).isNotNull();
          if (name.equals("timestamp")) {
            assertThat(Instant.parse(found.getAsString())).isNotNull();
            assertThat(Instant.parse(value.getAsString())).isNotNull();
          } else {
            assertContains(found, value);
          }
        });
  }

  @Test
  void the_page_of_spring_boot_shows_the_files_of_the_example() throws Exception {
    StringBuilder files = new StringBuilder();
    try (Stream<Path> all = Files.walk(Path.of("examples/spring-boot"))) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        files.append(Files.readString(file));
      }
    }
    for (String language : List.of("xml", "java")) {
      assertThat(blocks("spring-boot.md", language))
          .isNotEmpty()
          .allSatisfy(shown -> assertThat(files).contains(shown));
    }
  }

  @Test
  void every_page_shows_the_dependency_of_this_version() throws Exception {
    String pom = Files.readString(Path.of("pom.xml"));
    Matcher version =
        Pattern.compile("<artifactId>datanadhi-sdk</artifactId>\\s*<version>([^<]+)").matcher(pom);
    assertThat(version.find()).isTrue();
    List<Path> pages;
    try (Stream<Path> all = Files.list(DOCUMENTS)) {
      pages = all.toList();
    }
    assertThat(pages).hasSizeGreaterThanOrEqualTo(4);
    for (Path page : pages) {
      if (Files.readString(page).contains("<dependency>")) {
        assertThat(block(page.getFileName().toString(), "xml").replaceAll("\\s", ""))
            .isEqualTo(
                "<dependency><groupId>com.datanadhi</groupId><artifactId>datanadhi-sdk</artifactId><version>%s</version></dependency>"
                    .formatted(version.group(1)));
      }
    }
  }

  /** Links to other files and to headings of them. */
  @Test
  void every_link_leads_somewhere() throws Exception {
    List<Path> pages = new ArrayList<>(List.of(Path.of("README.md")));
    try (Stream<Path> all = Files.list(DOCUMENTS)) {
      all.forEach(pages::add);
    }
    Pattern link = Pattern.compile("\\]\\((?!https?:)([^)#]*)(?:#([^)]*))?\\)");
    for (Path page : pages) {
      Matcher found = link.matcher(Files.readString(page));
      while (found.find()) {
        Path target =
            found.group(1).isEmpty() ? page : page.resolveSibling(found.group(1)).normalize();
        assertThat(target).describedAs("link in %s", page).exists();
        if (found.group(2) != null) {
          assertThat(headings(target)).describedAs("link in %s", page).contains(found.group(2));
        }
      }
    }
  }

  private static List<String> headings(Path page) throws IOException {
    return Files.readString(page)
        .lines()
        .filter(line -> line.matches("#+ .*"))
        .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^a-z0-9 -]", "").replace(' ', '-'))
        .toList();
  }
}
