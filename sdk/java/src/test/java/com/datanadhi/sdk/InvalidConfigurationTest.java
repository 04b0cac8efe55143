package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import com.datanadhi.sdk.jul.DataNadhiHandler;
import com.datanadhi.sdk.testkit.JavaProgram;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.Configurator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A process whose configuration is invalid says so once and keeps its records. */
class InvalidConfigurationTest extends AbstractSdkTest {
  @ParameterizedTest
  @CsvSource({
    "jul, DATANADHI_API_KEY, ''",
    "logback, DATANADHI_API_KEY, ''",
    "log4j, DATANADHI_API_KEY, ''",
    "jul, async.workers, 'async: {workers: none}'",
    "logback, async.workers, 'async: {workers: none}'",
    "log4j, not valid YAML, 'async: {workers: '",
  })
  void it_is_reported_in_one_line_and_records_are_kept(
      String library, String named, String configuration) throws Exception {
    Files.writeString(directory.resolve("config.yml"), configuration);
    Map<String, String> environment =
        Map.of("DATANADHI_API_KEY", configuration.isEmpty() ? "" : "test-key");
    JavaProgram.Result result =
        JavaProgram.run(Logging.class, environment, library, directory.toString());
    assertThat(result.status()).describedAs(result.errors()).isZero();
    assertThat(result.errors().lines().toList())
        .satisfiesExactly(
            problem -> assertThat(problem).startsWith("Data Nadhi SDK: ").contains(named),
            end -> assertThat(end).contains("1000 records are kept in"),
            lost -> assertThat(lost).contains("100 records are lost"));
    assertThat(dropped()).hasSize(1000);
    assertThat(droppedFiles().get(0).getFileName().toString()).startsWith("not_configured_");
  }

  /** Logs more events than are kept. */
  static final class Logging {
    public static void main(String[] args) throws Exception {
      String directory = args[1];
      switch (args[0]) {
        case "jul" -> {
          Logger logger = Logger.getLogger("shop");
          logger.setUseParentHandlers(false);
          logger.addHandler(new DataNadhiHandler(directory, "orders"));
          for (int i = 0; i < 1_100; i++) {
            logger.log(Level.INFO, "event");
          }
        }
        case "logback" -> {
          LoggerContext context = new LoggerContext();
          context.setMDCAdapter(new LogbackMDCAdapter());
          JoranConfigurator configurator = new JoranConfigurator();
          configurator.setContext(context);
          configurator.doConfigure(
              xml(
                  """
                  <configuration>
                    <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
                      <directory>%s</directory>
                    </appender>
                    <root level="INFO"><appender-ref ref="DN"/></root>
                  </configuration>
                  """,
                  directory));
          for (int i = 0; i < 1_100; i++) {
            context.getLogger("shop").info("event");
          }
        }
        default -> {
          var context =
              Configurator.initialize(
                  Logging.class.getClassLoader(),
                  new ConfigurationSource(
                      xml(
                          """
                          <Configuration>
                            <Appenders><DataNadhi name="DN" directory="%s"/></Appenders>
                            <Loggers><Root level="INFO"><AppenderRef ref="DN"/></Root></Loggers>
                          </Configuration>
                          """,
                          directory)));
          for (int i = 0; i < 1_100; i++) {
            context.getLogger("shop").info("event");
          }
        }
      }
    }

    private static ByteArrayInputStream xml(String format, String directory) {
      return new ByteArrayInputStream(format.formatted(directory).getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void kept_records_are_delivered_when_a_handler_finds_the_configuration_corrected()
      throws Exception {
    Files.writeString(directory.resolve("config.yml"), "async: {workers: none}");
    DataNadhiHandler first = new DataNadhiHandler(directory.toString(), "orders");
    first.publish(new LogRecord(Level.INFO, "kept"));
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s'}\nechopost: {disable: true}".formatted(main.url()));
    DataNadhiHandler second = new DataNadhiHandler(directory.toString(), "orders");
    second.publish(new LogRecord(Level.INFO, "new"));
    first.close();
    second.close();
    await().atMost(TIME_LIMIT).until(() -> main.delivered() == 2);
    assertThat(dropped()).isEmpty();
  }

  @Test
  void a_kept_record_that_is_too_large_is_truncated_to_the_default_limit() throws Exception {
    keepThenCorrect("", "before", "x".repeat(2 << 20), "after");
    assertThat(messages()).hasSize(4).contains("before", "after", "new");
    assertThat(dropped()).isEmpty();
  }

  @Test
  void a_kept_record_that_the_client_takes_for_too_large_goes_into_a_file() throws Exception {
    keepThenCorrect(
        "async: {max_record_bytes: 1024}\ndropped: {redeliver: false}",
        "before",
        "x".repeat(5_000),
        "after");
    assertThat(messages()).containsExactlyInAnyOrder("before", "after", "new");
    assertThat(dropped()).hasSize(1);
  }

  /** Logs {@code messages} before the configuration is corrected, and "new" after that. */
  private void keepThenCorrect(String settings, String... messages) throws Exception {
    Files.writeString(directory.resolve("config.yml"), "async: {workers: none}");
    DataNadhiHandler first = new DataNadhiHandler(directory.toString(), "orders");
    for (String message : messages) {
      first.publish(new LogRecord(Level.INFO, message));
    }
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s'}\nechopost: {disable: true}\n%s".formatted(main.url(), settings));
    DataNadhiHandler second = new DataNadhiHandler(directory.toString(), "orders");
    second.publish(new LogRecord(Level.INFO, "new"));
    DataNadhi client = DataNadhi.shared(directory);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    first.close();
    second.close();
  }

  private List<String> messages() {
    return main.deliveries().stream()
        .map(d -> d.body().getAsJsonObject("log_data").get("message").getAsString())
        .toList();
  }
}
