package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.jul.DataNadhiHandler;
import com.datanadhi.sdk.testkit.JavaProgram;
import com.datanadhi.testkit.Polling;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.logging.log4j.LogManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** The first event that an application logs is as quick as others. */
class FirstEventTest extends AbstractSdkTest {
  /** To load classes, and to generate those of lambdas, took most of 10 to 80 ms. */
  @ParameterizedTest
  @ValueSource(strings = {"logback", "log4j", "jul"})
  void it_loads_no_class_of_the_sdk(String library) throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s', fallback_host: '%s'}\nechopost: {disable: true}\nasync: {exit_timeout: 30}"
            .formatted(main.url(), fallback.url()));
    Path log = directory.resolve("classes.log");
    Process process =
        JavaProgram.start(
            directory,
            Map.of(),
            List.of(
                "-Xlog:class+load:file=" + log,
                "-cp",
                System.getProperty("java.class.path"),
                Logging.class.getName(),
                library,
                directory.toString()));
    closeAfterTest(process::destroyForcibly);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(main.delivered()).isEqualTo(2);

    List<String> loaded = Files.readAllLines(log);
    int from = indexOf(loaded, Logging.Before.class);
    int to = indexOf(loaded, Logging.After.class);
    assertThat(from).isBetween(0, to);
    assertThat(loaded.subList(from + 1, to))
        .filteredOn(line ->
            line.matches(
                ".* com\\.datanadhi\\.sdk\\.(logback|log4j|jul|internal\\.appender|internal\\.json)\\..*"))
        .isEmpty();
  }

  private static int indexOf(List<String> lines, Class<?> type) {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).contains(" " + type.getName() + " ")) {
        return i;
      }
    }
    return -1;
  }

  /** Logs two events when the client is open. */
  static final class Logging {
    /** Is loaded before the first event. */
    static final class Before {
      static void load() {}
    }

    /** Is loaded after it. */
    static final class After {
      static void load() {}
    }

    private static final String LOGBACK =
        """
        <configuration>
          <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%s</directory>
          </appender>
          <root level="INFO"><appender-ref ref="DN"/></root>
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
      switch (args[0]) {
        case "logback" -> {
          configure("logback.configurationFile", directory.resolve("logback.xml"), LOGBACK);
          var logger = LoggerFactory.getLogger("shop");
          log(text -> logger.info("{} event", text));
        }
        case "log4j" -> {
          configure("log4j2.configurationFile", directory.resolve("log4j2.xml"), LOG4J);
          var logger = LogManager.getLogger("shop");
          log(text -> logger.info("{} event", text));
        }
        default -> {
          Logger logger = Logger.getLogger("shop");
          logger.setUseParentHandlers(false);
          logger.addHandler(new DataNadhiHandler(directory.toString(), "orders"));
          log(text -> logger.log(Level.INFO, "{0} event", text));
        }
      }
    }

    private static void configure(String property, Path file, String text) throws Exception {
      Files.writeString(file, text.formatted(file.getParent()));
      System.setProperty(property, file.toString());
    }

    private static void log(Consumer<String> logger) throws Exception {
      MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
      ObjectName counters = new ObjectName("com.datanadhi.sdk:type=DataNadhi,*");
      Polling.until(
          () -> !beans.queryNames(counters, null).isEmpty(),
          Duration.ofMillis(10),
          Duration.ofSeconds(60),
          () -> "the client does not start");
      Before.load();
      logger.accept("first");
      After.load();
      logger.accept("second");
    }
  }
}
