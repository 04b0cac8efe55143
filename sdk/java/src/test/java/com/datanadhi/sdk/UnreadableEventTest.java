package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.datanadhi.sdk.jul.DataNadhiHandler;
import com.google.gson.JsonObject;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.stream.Stream;
import org.apache.logging.log4j.core.config.NullConfiguration;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.message.ObjectMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.event.KeyValuePair;

/** An event with objects of the application that throw is delivered, with texts in their place. */
class UnreadableEventTest extends AbstractSdkTest {
  /** An object of the application. */
  static final class Order {
    @Override
    public String toString() {
      throw new AssertionError();
    }
  }

  /** The payload and the counters of the only event that {@code log} logs. */
  private JsonObject delivered(int replaced, Consumer<DataNadhi> log) throws Exception {
    DataNadhi client = open(configuration().echoPostDisabled(true));
    log.accept(client);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().replacedValues()).isEqualTo(replaced);
    assertThat(main.deliveries()).hasSize(1);
    return main.deliveries().get(0).body().getAsJsonObject("log_data");
  }

  private static String text(JsonObject in, String name) {
    return in.get(name).getAsString();
  }

  @Test
  void a_parameter_of_java_util_logging() throws Exception {
    LogRecord event = new LogRecord(Level.INFO, "order {0} of {1} at {2,number}");
    event.setParameters(new Object[] {new Order(), "Ann", 7});
    JsonObject payload =
        delivered(0, client -> new DataNadhiHandler(client, "orders", 0).publish(event));
    assertThat(text(payload, "message"))
        .isEqualTo(
            "order (%s could not be encoded: java.lang.AssertionError) of Ann at 7"
                .formatted(Order.class.getName()));
  }

  @Test
  void a_message_of_log4j() throws Exception {
    Log4jLogEvent event =
        Log4jLogEvent.newBuilder()
            .setLoggerName("shop")
            .setLevel(org.apache.logging.log4j.Level.INFO)
            .setMessage(new ObjectMessage(new Order()))
            .build();
    JsonObject payload =
        delivered(
            1,
            client -> {
              var appender =
                  com.datanadhi.sdk.log4j.DataNadhiAppender.of(
                      "DN", client, "orders", 0, false, new NullConfiguration());
              appender.start();
              appender.append(event);
              appender.stop();
            });
    assertThat(text(payload, "message"))
        .isEqualTo(
            "(%s could not be encoded: java.lang.AssertionError)"
                .formatted(ObjectMessage.class.getName()));
  }

  @Test
  void a_key_of_logback_that_is_null() throws Exception {
    LoggerContext context = new LoggerContext();
    context.setMDCAdapter(new ch.qos.logback.classic.util.LogbackMDCAdapter());
    var logger = context.getLogger("shop");
    LoggingEvent event =
        new LoggingEvent("", logger, ch.qos.logback.classic.Level.INFO, "declined", null, null);
    event.addKeyValuePair(new KeyValuePair(null, "value"));
    JsonObject payload =
        delivered(
            0,
            client -> {
              var appender = new com.datanadhi.sdk.logback.DataNadhiAppender();
              appender.setContext(context);
              appender.setClient(client);
              appender.start();
              appender.doAppend(event);
              appender.stop();
            });
    assertThat(text(payload.getAsJsonObject("context"), "null")).isEqualTo("value");
  }

  static Stream<Supplier<StackTraceElement[]>> unusualFrames() {
    return Stream.of(
        () -> null,
        () -> new StackTraceElement[] {null},
        () -> {
          throw new AssertionError();
        });
  }

  @ParameterizedTest
  @MethodSource("unusualFrames")
  void the_frames_of_an_exception(Supplier<StackTraceElement[]> frames) throws Exception {
    Exception odd =
        new Exception("odd") {
          @Override
          public StackTraceElement[] getStackTrace() {
            return frames.get();
          }
        };
    LogRecord event = new LogRecord(Level.INFO, "declined");
    event.setThrown(odd);
    DataNadhi client = open(configuration().echoPostDisabled(true));
    new DataNadhiHandler(client, "orders", 0).publish(event);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.deliveries()).hasSize(1);
    JsonObject payload = main.deliveries().get(0).body().getAsJsonObject("log_data");
    assertThat(text(payload.getAsJsonObject("context").getAsJsonObject("error"), "message"))
        .isEqualTo("odd");
  }

  @Test
  void the_stack_trace_of_an_exception_with_endless_causes_is_cut() throws Exception {
    LogRecord event = new LogRecord(Level.INFO, "declined");
    event.setThrown(new EndlessException());
    JsonObject payload =
        delivered(0, client -> new DataNadhiHandler(client, "orders", 0).publish(event));
    assertThat(text(payload.getAsJsonObject("context").getAsJsonObject("error"), "stacktrace"))
        .startsWith(EndlessException.class.getName())
        .hasSize(64 << 10);
  }

  static final class EndlessException extends Exception {
    private static final long serialVersionUID = 1;

    @Override
    public synchronized Throwable getCause() {
      return new EndlessException();
    }
  }

  @Test
  void a_getter_is_named_by_the_class_of_the_application() throws Exception {
    Exception odd = new OddException();
    LogRecord event = new LogRecord(Level.INFO, "declined");
    event.setThrown(odd);
    JsonObject payload =
        delivered(2, client -> new DataNadhiHandler(client, "orders", 0).publish(event));
    JsonObject error = payload.getAsJsonObject("context").getAsJsonObject("error");
    assertThat(text(error, "message"))
        .isEqualTo(
            "(%s could not be encoded: java.lang.IllegalStateException)"
                .formatted(OddException.class.getName()));
  }

  static final class OddException extends Exception {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw new IllegalStateException();
    }
  }
}
