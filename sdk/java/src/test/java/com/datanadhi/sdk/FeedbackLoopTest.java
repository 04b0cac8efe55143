package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.JavaProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.logging.Level;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** What the SDK and its HTTP and gRPC clients log does not become records. */
class FeedbackLoopTest extends AbstractSdkTest {
  private static final int LINES = 20;

  @ParameterizedTest
  @ValueSource(strings = {"main server", "agent"})
  void a_line_is_one_record_however_much_the_sdk_logs(String way) throws Exception {
    boolean usesAgent = way.equals("agent");
    if (usesAgent) {
      main.goDown();
      Agents.install(directory);
    }
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s', fallback_host: '%s'}\nechopost: {disable: %s}\nasync: {workers: 1}"
            .formatted(main.url(), fallback.url(), !usesAgent));
    JavaProgram.Result result = JavaProgram.run(LoggingAll.class, directory.toString());
    assertThat(result.status()).describedAs(result.errors()).isZero();
    if (usesAgent) {
      main.comeUp();
      Agents.drain(directory, main.url());
    }
    assertThat(main.deliveries())
        .extracting(d -> d.body().getAsJsonObject("log_data").get("message").getAsString().strip())
        .containsExactlyElementsOf(lines());
    assertThat(dropped()).isEmpty();
  }

  private static List<String> lines() {
    return IntStream.range(0, LINES).mapToObj(i -> "line " + i).toList();
  }

  /** Logs everything at the finest level, through java.util.logging, SLF4J and AsyncAppender. */
  static final class LoggingAll {
    private static final String LOGBACK =
        """
        <configuration>
          <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%s</directory>
          </appender>
          <appender name="ASYNC" class="ch.qos.logback.classic.AsyncAppender">
            <discardingThreshold>0</discardingThreshold>
            <appender-ref ref="DN"/>
          </appender>
          <root level="TRACE"><appender-ref ref="ASYNC"/></root>
        </configuration>
        """;

    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      Path file = directory.resolve("logback.xml");
      Files.writeString(file, LOGBACK.formatted(directory));
      System.setProperty("logback.configurationFile", file.toString());
      System.setProperty("jdk.httpclient.HttpClient.log", "all");
      System.setProperty("jdk.internal.httpclient.debug", "true");
      SLF4JBridgeHandler.removeHandlersForRootLogger();
      SLF4JBridgeHandler.install();
      java.util.logging.Logger.getLogger("").setLevel(Level.ALL);
      java.util.logging.Logger bridged = java.util.logging.Logger.getLogger("shop");
      bridged.info(lines().get(0));
      Logger logger = LoggerFactory.getLogger("shop");
      DataNadhi client = DataNadhi.shared(directory);
      for (String line : lines().subList(1, LINES)) {
        logger.info(line);
        if (!client.flush(Duration.ofSeconds(20))) {
          throw new IllegalStateException("not delivered: " + client.counters());
        }
      }
    }
  }
}
