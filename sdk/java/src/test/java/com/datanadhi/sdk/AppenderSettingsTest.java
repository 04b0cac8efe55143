package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.testkit.JavaProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.logging.LogManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** The key and the hosts come from the configuration of the logging library. */
class AppenderSettingsTest extends AbstractSdkTest {
  private static final Map<String, String> NO_KEY =
      Map.of("DATANADHI_API_KEY", "", "DATANADHI_ECHOPOST_DISABLE", "true");

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j"})
  void an_appender_needs_no_other_configuration(String library) throws Exception {
    JavaProgram.Result result = run(library, NO_KEY);
    assertThat(result.errors()).doesNotContain("Data Nadhi SDK", "ERROR");
    assertThat(main.deliveries()).hasSize(1);
    assertThat(main.deliveries().get(0).apiKey()).isEqualTo("of-appender");
    assertThat(main.deliveries().get(0).body().get("pipelines")).hasToString("[\"orders\"]");
    assertThat(
            main.deliveries()
                .get(0)
                .body()
                .getAsJsonObject("log_data")
                .getAsJsonObject("resource")
                .get("service.name")
                .getAsString())
        .isEqualTo("checkout");
  }

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j"})
  void the_environment_comes_before_the_appender_and_the_appender_before_the_file(String library)
      throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: 'http://127.0.0.1:9'}\nechopost: {disable: true}");
    JavaProgram.Result result = run(library, Map.of("DATANADHI_API_KEY", "of-environment"));
    assertThat(main.deliveries()).describedAs(result.errors()).hasSize(1);
    assertThat(main.deliveries().get(0).apiKey()).isEqualTo("of-environment");
  }

  @ParameterizedTest
  @ValueSource(strings = "logback")
  void an_appender_with_other_settings_for_the_same_directory_is_told(String library)
      throws Exception {
    JavaProgram.Result result =
        JavaProgram.run(
            LoggingOnce.class,
            NO_KEY,
            library,
            directory.toString(),
            main.url(),
            fallback.url(),
            "http://127.0.0.1:9");
    assertThat(result.errors())
        .contains("The client for " + directory + " is open already, with " + main.url());
  }

  private JavaProgram.Result run(String library, Map<String, String> environment) throws Exception {
    JavaProgram.Result result =
        JavaProgram.run(
            LoggingOnce.class,
            environment,
            library,
            directory.toString(),
            main.url(),
            fallback.url(),
            main.url());
    assertThat(result.status()).describedAs(result.errors()).isZero();
    return result;
  }

  /** Configures a logging library with two appenders, of which one gets an event. */
  static final class LoggingOnce {
    private static final String LOGBACK =
        """
        <configuration>
          <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%1$s</directory>
            <pipelines>orders</pipelines>
            <apiKey>of-appender</apiKey>
            <serviceName>checkout</serviceName>
            <serverHost>%2$s</serverHost>
            <fallbackHost>%3$s</fallbackHost>
          </appender>
          <appender name="OTHER" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%1$s</directory>
            <apiKey>of-appender</apiKey>
            <serverHost>%4$s</serverHost>
            <fallbackHost>%3$s</fallbackHost>
          </appender>
          <root level="INFO"><appender-ref ref="DN"/></root>
          <logger name="other"><appender-ref ref="OTHER"/></logger>
        </configuration>
        """;

    private static final String LOG4J =
        """
        <Configuration>
          <Appenders>
            <DataNadhi name="DN" directory="%1$s" pipelines="orders" apiKey="of-appender"
                serviceName="checkout"
                serverHost="%2$s" fallbackHost="%3$s"/>
          </Appenders>
          <Loggers><Root level="INFO"><AppenderRef ref="DN"/></Root></Loggers>
        </Configuration>
        """;

    private static final String JUL =
        """
        handlers = com.datanadhi.sdk.jul.DataNadhiHandler
        com.datanadhi.sdk.jul.DataNadhiHandler.directory = %1$s
        com.datanadhi.sdk.jul.DataNadhiHandler.pipelines = orders
        com.datanadhi.sdk.jul.DataNadhiHandler.apiKey = of-appender
        com.datanadhi.sdk.jul.DataNadhiHandler.serviceName = checkout
        com.datanadhi.sdk.jul.DataNadhiHandler.serverHost = %2$s
        com.datanadhi.sdk.jul.DataNadhiHandler.fallbackHost = %3$s
        """;

    public static void main(String[] args) throws Exception {
      Path file = Path.of(args[1]).resolve("logging");
      Map<String, String> formats = Map.of("logback", LOGBACK, "log4j", LOG4J, "jul", JUL);
      List<String> values = List.of(args).subList(1, 5);
      String suffix = args[0].equals("jul") ? ".properties" : ".xml";
      Path configuration = Path.of(file + suffix);
      Files.writeString(
          configuration, String.valueOf(formats.get(args[0])).formatted(values.toArray()));
      switch (args[0]) {
        case "logback" -> {
          System.setProperty("logback.configurationFile", configuration.toString());
          LoggerFactory.getLogger("shop").info("event");
        }
        case "log4j" -> {
          System.setProperty("log4j2.configurationFile", configuration.toString());
          org.apache.logging.log4j.LogManager.getLogger("shop").info("event");
        }
        default -> {
          System.setProperty("java.util.logging.config.file", configuration.toString());
          LogManager.getLogManager();
          java.util.logging.Logger.getLogger("shop").info("event");
        }
      }
    }
  }
}
