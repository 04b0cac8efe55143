package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.JavaProgram;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.logging.log4j.LogManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** An application that logs a few events asynchronously and ends at once. */
class ShortApplicationTest extends AbstractSdkTest {
  @ParameterizedTest
  @CsvSource({
    "logback, 10, main server",
    "logback, 10, agent",
    "logback, 10, files",
    "log4j, 6, main server",
    "log4j, 6, agent",
    "log4j, 6, files",
  })
  void its_records_are_delivered_or_in_files(String library, int events, String way)
      throws Exception {
    if (!way.equals("main server")) {
      main.goDown();
      fallback.goDown();
    }
    if (way.equals("agent")) {
      Agents.install(directory);
    }
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s', fallback_host: '%s'}\nechopost: {disable: %s}\nasync: {workers: 1, exit_timeout: 30}"
            .formatted(main.url(), fallback.url(), !way.equals("agent")));
    JavaProgram.Result result =
        JavaProgram.run(Logging.class, library, directory.toString(), Integer.toString(events));
    assertThat(result.status()).describedAs(result.errors()).isZero();
    if (way.equals("agent")) {
      main.comeUp();
      Agents.drain(directory, main.url());
    }
    List<JsonObject> records = new ArrayList<>();
    main.deliveries().forEach(delivery -> records.add(delivery.body()));
    assertThat(dropped()).describedAs(result.errors()).hasSize(way.equals("files") ? events : 0);
    records.addAll(dropped());
    assertThat(records)
        .describedAs(result.errors())
        .extracting(body -> body.getAsJsonObject("log_data").get("message").getAsString())
        .containsExactlyElementsOf(IntStream.range(0, events).mapToObj(i -> "event " + i).toList());
  }

  /** Configures a logging library as an application does, logs events, and returns. */
  static final class Logging {
    private static final String LOGBACK =
        """
        <configuration>
          <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%s</directory>
          </appender>
          <appender name="ASYNC" class="ch.qos.logback.classic.AsyncAppender">
            <appender-ref ref="DN"/>
          </appender>
          <root level="INFO"><appender-ref ref="ASYNC"/></root>
        </configuration>
        """;

    private static final String LOG4J =
        """
        <Configuration>
          <Appenders><DataNadhi name="DN" directory="%s"/></Appenders>
          <Loggers><Root level="INFO"><AppenderRef ref="DN"/></Root></Loggers>
        </Configuration>
        """;

    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[1]);
      int events = Integer.parseInt(args[2]);
      if (args[0].equals("logback")) {
        Path file = directory.resolve("logback.xml");
        Files.writeString(file, LOGBACK.formatted(directory));
        System.setProperty("logback.configurationFile", file.toString());
        var logger = LoggerFactory.getLogger("shop");
        for (int i = 0; i < events; i++) {
          logger.info("event {}", i);
        }
      } else {
        Path file = directory.resolve("log4j2.xml");
        Files.writeString(file, LOG4J.formatted(directory));
        System.setProperty("log4j2.configurationFile", file.toString());
        System.setProperty(
            "log4j2.contextSelector",
            "org.apache.logging.log4j.core.async.AsyncLoggerContextSelector");
        var logger = LogManager.getLogger("shop");
        for (int i = 0; i < events; i++) {
          logger.info("event {}", i);
        }
      }
    }
  }
}
