package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.sdk.testkit.JavaProgram;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.LogManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** The application's hook decides about each record before anything stores it. */
class BeforeSendTest extends AbstractSdkTest {
  private static final String SECRET = "4111-1111";

  private DataNadhi open(BeforeSend hook) {
    return open(configuration().echoPostMode(EchoPostMode.NEVER).beforeSend(hook));
  }

  private void assertAllSettled(DataNadhi client) throws Exception {
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    Counters end = client.counters();
    assertThat(end.submitted())
        .isEqualTo(end.delivered() + end.droppedTotal() + end.filtered() + end.lost());
  }

  private JsonObject onlyPayload() {
    assertThat(main.deliveries()).hasSize(1);
    return main.deliveries().get(0).body().getAsJsonObject("log_data");
  }

  /** A class of an application, of which only the text is delivered. */
  private record Card(String number) {}

  @Test
  void a_hook_sees_all_that_would_be_delivered_and_can_change_it() throws Exception {
    DataNadhi client =
        open((pipelines, payload) -> {
          assertThat(pipelines).isEqualTo(PIPELINES);
          assertThat(payload.get("card")).isEqualTo("Card[number=" + SECRET + "]");
          assertThat(payload.get("count")).isEqualTo(7L);
          payload.replaceAll((name, value) -> value.toString().contains(SECRET) ? "***" : value);
          ((Map<?, ?>) payload.get("context")).remove("password");
          payload.put("host", "a");
          return payload;
        });
    Map<String, Object> submitted =
        Map.of(
            "card", new Card(SECRET), "count", 7, "context", Map.of("password", "p", "user", "u"));
    assertThat(client.submit(PIPELINES, submitted)).isEqualTo(SubmitResult.ACCEPTED);
    assertAllSettled(client);
    assertThat(onlyPayload().get("card").getAsString()).isEqualTo("***");
    assertThat(onlyPayload().get("context")).hasToString("{\"user\":\"u\"}");
    assertThat(onlyPayload().get("host").getAsString()).isEqualTo("a");
    assertThat(client.counters().withheld()).isZero();
  }

  @Test
  void what_a_hook_removes_is_in_no_file() throws Exception {
    main.goDown();
    fallback.goDown();
    DataNadhi client =
        open((pipelines, payload) -> {
          payload.remove("card");
          return payload;
        });
    assertThat(client.submit(PIPELINES, Map.of("seq", 0, "card", SECRET)).isAccepted()).isTrue();
    assertAllSettled(client);
    assertThat(droppedSeqs()).containsExactly(0);
    assertThat(Files.readString(droppedFiles().get(0))).doesNotContain(SECRET);
  }

  @Test
  void a_record_that_the_hook_drops_is_counted_as_filtered() throws Exception {
    DataNadhi client = open((pipelines, payload) -> payload.get("seq").equals(1L) ? null : payload);
    assertThat(client.submit(PIPELINES, Map.of("seq", 0))).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(client.submit(PIPELINES, Map.of("seq", 1))).isEqualTo(SubmitResult.FILTERED);
    assertThat(client.submitJson(PIPELINES, "{\"seq\":1}")).isEqualTo(SubmitResult.FILTERED);
    assertThat(client.submit(PIPELINES, Map.of("seq", 1), TIME_LIMIT))
        .isEqualTo(SubmitResult.FILTERED);
    assertAllSettled(client);
    assertThat(seqs(main.deliveries())).containsExactly(0);
    assertThat(client.counters().filtered()).isEqualTo(3);
    assertThat(client.counters().submitted()).isEqualTo(4);
  }

  @Test
  void if_the_hook_throws_the_content_is_withheld_and_counted() throws Exception {
    DataNadhi client =
        open((pipelines, payload) -> {
          throw new IllegalStateException("cannot redact " + payload);
        });
    assertThat(client.submit(PIPELINES, Map.of("card", SECRET))).isEqualTo(SubmitResult.ACCEPTED);
    assertAllSettled(client);
    assertThat(onlyPayload().get("message").getAsString())
        .contains("BeforeSendTest", "java.lang.IllegalStateException", "withheld");
    assertThat(onlyPayload().toString()).doesNotContain(SECRET);
    assertThat(client.counters().withheld()).isEqualTo(1);
  }

  @Test
  void a_hook_that_overflows_the_stack_withholds_the_content() throws Exception {
    DataNadhi client = open(new Recursive());
    assertThat(client.submit(PIPELINES, Map.of("card", SECRET))).isEqualTo(SubmitResult.ACCEPTED);
    assertAllSettled(client);
    assertThat(onlyPayload().toString()).contains("StackOverflowError").doesNotContain(SECRET);
  }

  private static final class Recursive implements BeforeSend {
    @Override
    public Map<String, ?> beforeSend(List<String> pipelines, Map<String, Object> payload) {
      return Map.of("again", beforeSend(pipelines, payload));
    }
  }

  @Test
  void an_error_of_the_virtual_machine_reaches_the_caller() {
    DataNadhi client =
        open((pipelines, payload) -> {
          throw new OutOfMemoryError("as if");
        });
    assertThatThrownBy(() -> client.submit(PIPELINES, Map.of())).isInstanceOf(Error.class);
    assertThat(client.counters().submitted()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"a\":12345678901234567890,\"b\":1.50,\"c\":[true,null,-1]}; same",
        "[1,2]; {\"payload\":[1,2]}",
        "null; {\"payload\":null}"
      })
  void the_values_of_submit_json_stay_as_they_are(String json, String expected) throws Exception {
    DataNadhi client = open((pipelines, payload) -> payload);
    assertThat(client.submitJson(PIPELINES, json)).isEqualTo(SubmitResult.ACCEPTED);
    assertAllSettled(client);
    assertThat(onlyPayload()).hasToString(expected.equals("same") ? json : expected);
  }

  @Test
  void what_a_hook_returns_is_truncated_as_what_is_submitted() throws Exception {
    DataNadhi client =
        open(
            configuration()
                .maxRecordBytes(1024)
                .beforeSend((pipelines, payload) -> Map.of("text", "x".repeat(5_000))));
    assertThat(client.submit(PIPELINES, Map.of())).isEqualTo(SubmitResult.ACCEPTED);
    assertAllSettled(client);
    assertThat(onlyPayload().get("datanadhi_truncated").getAsBoolean()).isTrue();
    assertThat(client.counters().truncated()).isEqualTo(1);
  }

  @Test
  void what_a_hook_submits_itself_is_dropped() throws Exception {
    DataNadhi[] own = new DataNadhi[1];
    own[0] =
        open((pipelines, payload) -> {
          assertThat(own[0].submit(pipelines, payload)).isEqualTo(SubmitResult.FILTERED);
          return payload;
        });
    submit(own[0], 0, 1);
    assertAllSettled(own[0]);
    assertThat(seqs(main.deliveries())).containsExactly(0);
    assertThat(own[0].counters().filtered()).isEqualTo(1);
  }

  @Test
  void a_builder_keeps_the_hook() {
    BeforeSend hook = (pipelines, payload) -> payload;
    assertThat(configuration().beforeSend(hook).build().toBuilder().build().beforeSend())
        .containsSame(hook);
    assertThat(configuration().build().beforeSend()).isEmpty();
  }

  /** Of an appender's configuration. */
  public static final class Redact implements BeforeSend {
    @Override
    public Map<String, ?> beforeSend(List<String> pipelines, Map<String, Object> payload) {
      Map<String, Object> redacted = new LinkedHashMap<>(payload);
      redacted.replace("message", payload.get("message").toString().replace(SECRET, "***"));
      LoggerFactory.getLogger("hook").info("this is not delivered");
      return redacted;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j"})
  void an_appender_makes_its_hook_by_the_name_of_its_class(String library) throws Exception {
    JavaProgram.Result result = log(library, Redact.class.getName(), main.url(), "key");
    assertThat(onlyPayload().get("message").getAsString()).isEqualTo("paid with ***");
    assertThat(result.errors()).doesNotContain("Data Nadhi SDK");
  }

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j"})
  void a_hook_that_cannot_be_made_withholds_all_events(String library) throws Exception {
    JavaProgram.Result result = log(library, "shop.Redacct", main.url(), "key");
    assertThat(onlyPayload().toString()).contains("withheld").doesNotContain(SECRET);
    assertThat(result.errors()).contains("beforeSend: shop.Redacct cannot be used");
  }

  @Test
  void events_are_redacted_before_they_are_kept_for_want_of_a_key() throws Exception {
    log("logback", Redact.class.getName(), main.url(), "");
    assertThat(main.deliveries()).isEmpty();
    String kept = Files.readString(droppedFiles().get(0));
    assertThat(kept).contains("paid with ***").doesNotContain(SECRET);
  }

  private JavaProgram.Result log(String library, String hook, String url, String key)
      throws Exception {
    JavaProgram.Result result =
        JavaProgram.run(
            LoggingOnce.class,
            Map.of(
                "DATANADHI_API_KEY",
                key,
                "DATANADHI_ECHOPOST_MODE",
                "never",
                "DATANADHI_SERVER_HOST",
                url),
            library,
            directory.toString(),
            hook);
    assertThat(result.status()).describedAs(result.errors()).isZero();
    return result;
  }

  /** Configures a logging library with a hook, and logs an event with a secret. */
  static final class LoggingOnce {
    private static final String LOGBACK =
        """
        <configuration>
          <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%1$s</directory>
            <beforeSend>%2$s</beforeSend>
          </appender>
          <root level="INFO"><appender-ref ref="DN"/></root>
        </configuration>
        """;

    private static final String LOG4J =
        """
        <Configuration>
          <Appenders>
            <DataNadhi name="DN" directory="%1$s" beforeSend="%2$s"/>
          </Appenders>
          <Loggers><Root level="INFO"><AppenderRef ref="DN"/></Root></Loggers>
        </Configuration>
        """;

    private static final String JUL =
        """
        handlers = com.datanadhi.sdk.jul.DataNadhiHandler
        com.datanadhi.sdk.jul.DataNadhiHandler.directory = %1$s
        com.datanadhi.sdk.jul.DataNadhiHandler.beforeSend = %2$s
        """;

    public static void main(String[] args) throws Exception {
      String format =
          switch (args[0]) {
            case "logback" -> LOGBACK;
            case "log4j" -> LOG4J;
            default -> JUL;
          };
      String suffix = args[0].equals("jul") ? ".properties" : ".xml";
      Path configuration = Path.of(args[1]).resolve("logging" + suffix);
      Files.writeString(configuration, format.formatted(args[1], args[2]));
      String event = "paid with " + SECRET;
      if (args[0].equals("logback")) {
        System.setProperty("logback.configurationFile", configuration.toString());
        LoggerFactory.getLogger("shop").info(event);
      } else {
        // The hook logs with Logback: its own messages go nowhere.
        ((ch.qos.logback.classic.LoggerContext) LoggerFactory.getILoggerFactory()).reset();
        if (args[0].equals("log4j")) {
          System.setProperty("log4j2.configurationFile", configuration.toString());
          org.apache.logging.log4j.LogManager.getLogger("shop").info(event);
        } else {
          System.setProperty("java.util.logging.config.file", configuration.toString());
          LogManager.getLogManager();
          java.util.logging.Logger.getLogger("shop").info(event);
        }
      }
    }
  }
}
