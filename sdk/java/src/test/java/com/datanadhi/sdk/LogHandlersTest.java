package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.spi.LoggingEventVO;
import com.datanadhi.sdk.jul.DataNadhiHandler;
import com.datanadhi.sdk.testkit.JavaProgram;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import org.apache.logging.log4j.ThreadContext;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.Configurator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events of the logging libraries arrive at the server as payloads with fields. */
class LogHandlersTest extends AbstractSdkTest {
  @BeforeEach
  void configure() throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        """
        server: {host: "%s", fallback_host: "%s"}
        echopost: {disable: true}
        async: {workers: 1}
        """
            .formatted(main.url(), fallback.url()));
  }

  /** Other tests count the threads of this process. */
  @AfterEach
  void closeSharedClient() throws Exception {
    configure();
    DataNadhi.shared(directory).close();
  }

  /** The API key is in the environment that Surefire sets. */
  private JsonObject awaitBody() {
    await().atMost(TIME_LIMIT).until(() -> main.delivered() > 0);
    return main.deliveries().get(0).body();
  }

  private void assertPayloadIsTheEvent(JsonObject body) {
    assertThat(body.get("pipelines")).hasToString("[\"orders\",\"audit\"]");
    JsonObject payload = body.getAsJsonObject("log_data");
    assertThat(payload.get("message").getAsString()).isEqualTo("card 7 declined");
    assertThat(payload.get("timestamp").getAsString()).matches("20\\d\\d-.*Z");
    assertThat(payload.get("module_name").getAsString()).isEqualTo("shop.Checkout");
    assertThat(payload.getAsJsonObject("log_record").get("thread").getAsString()).isNotEmpty();
    JsonObject error = payload.getAsJsonObject("context").getAsJsonObject("error");
    assertThat(error.get("type").getAsString()).isEqualTo("java.lang.IllegalStateException");
    assertThat(error.get("message").getAsString()).isEqualTo("no funds");
    assertThat(error.get("stacktrace").getAsString()).contains("LogHandlersTest");
    assertThat(error.get("line").getAsInt()).isPositive();
  }

  @Test
  void an_event_of_java_util_logging_is_delivered() {
    Logger logger = Logger.getLogger("shop.Checkout");
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders, audit");
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    try {
      logger.log(
          java.util.logging.Level.SEVERE,
          new IllegalStateException("no funds"),
          () -> "card 7 declined");
      assertPayloadIsTheEvent(awaitBody());
    } finally {
      root.removeHandler(handler);
    }
  }

  @Test
  void an_exception_whose_message_throws_is_delivered_with_a_text_in_its_place() {
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders, audit");
    var event = new java.util.logging.LogRecord(java.util.logging.Level.SEVERE, "declined");
    event.setThrown(
        new IllegalStateException() {
          @Override
          public String getMessage() {
            throw new UnsupportedOperationException();
          }
        });
    handler.publish(event);
    JsonObject payload = awaitBody().getAsJsonObject("log_data");
    assertThat(payload.get("message").getAsString()).isEqualTo("declined");
    JsonObject error = payload.getAsJsonObject("context").getAsJsonObject("error");
    assertThat(error.get("message").getAsString())
        .contains("could not be encoded: java.lang.UnsupportedOperationException");
    assertThat(error.get("file").getAsString()).isEqualTo("LogHandlersTest.java");
    assertThat(DataNadhi.shared(directory).counters().replacedValues()).isEqualTo(2);
  }

  /** As one that was made by hand, or read from a file. */
  @Test
  void a_record_of_an_impossible_thread_is_delivered() {
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders");
    var event = new java.util.logging.LogRecord(java.util.logging.Level.INFO, "one");
    event.setLongThreadID(-1);
    handler.publish(event);
    assertThat(awaitBody().getAsJsonObject("log_data").getAsJsonObject("log_record").get("thread"))
        .hasToString("\"thread -1\"");
    handler.close();
  }

  @Test
  void events_of_the_sdk_itself_are_not_delivered() {
    main.goDown();
    fallback.goDown();
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders");
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    try {
      // The SDK logs that both servers are down and that a file is written.
      Logger.getLogger("shop.Checkout").warning("one");
      Logger.getLogger("com.datanadhi.sdk").severe("from the SDK");
      Logger.getLogger("com.datanadhi.sdk.shaded.grpc.internal.X").severe("from the SDK too");
      DataNadhi client = DataNadhi.shared(directory);
      await().atMost(TIME_LIMIT).until(() -> client.counters().droppedTotal() == 1);
      assertThat(client.counters().submitted()).isEqualTo(1);
    } finally {
      root.removeHandler(handler);
    }
  }

  @Test
  void an_event_of_logback_is_delivered() throws Exception {
    LoggerContext context = new LoggerContext();
    context.setMDCAdapter(new ch.qos.logback.classic.util.LogbackMDCAdapter());
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    String xml =
        """
        <configuration>
          <appender name="DATANADHI" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%s</directory>
            <pipelines>orders,audit</pipelines>
          </appender>
          <root level="INFO"><appender-ref ref="DATANADHI"/></root>
        </configuration>
        """
            .formatted(directory);
    configurator.doConfigure(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    context.getMDCAdapter().put("user", "u-1");
    context.getMDCAdapter().put("trace_id", "t-1");
    context
        .getLogger("shop.Checkout")
        .atError()
        .setCause(new IllegalStateException("no funds"))
        .addKeyValue("amount", 12)
        .log("card {} declined", 7);
    context.getLogger("com.datanadhi.sdk").error("from the SDK");

    JsonObject body = awaitBody();
    assertPayloadIsTheEvent(body);
    JsonObject payload = body.getAsJsonObject("log_data");
    assertThat(payload.get("trace_id").getAsString()).isEqualTo("t-1");
    assertThat(payload.getAsJsonObject("context").get("user").getAsString()).isEqualTo("u-1");
    assertThat(payload.getAsJsonObject("context").get("amount").getAsInt()).isEqualTo(12);
    context.getLogger("shop.Checkout").info("last");
    context.stop();
    assertThat(main.delivered()).isEqualTo(2);
  }

  /** As Logback's receivers pass them on. */
  @Test
  void an_event_of_logback_from_another_process_has_its_exception() throws Exception {
    LoggerContext context = new LoggerContext();
    context.setMDCAdapter(new ch.qos.logback.classic.util.LogbackMDCAdapter());
    var event =
        new LoggingEvent(
            "",
            context.getLogger("shop.Checkout"),
            ch.qos.logback.classic.Level.ERROR,
            "card {} declined",
            new IllegalStateException("no funds"),
            new Object[] {7});
    var appender = new com.datanadhi.sdk.logback.DataNadhiAppender();
    appender.setContext(context);
    appender.setDirectory(directory.toString());
    appender.start();
    appender.doAppend(LoggingEventVO.build(event));
    appender.stop();
    JsonObject payload = awaitBody().getAsJsonObject("log_data");
    assertThat(payload.get("message").getAsString()).isEqualTo("card 7 declined");
    JsonObject error = payload.getAsJsonObject("context").getAsJsonObject("error");
    assertThat(error.get("type").getAsString()).isEqualTo("java.lang.IllegalStateException");
    assertThat(error.get("message").getAsString()).isEqualTo("no funds");
    assertThat(error.get("stacktrace").getAsString()).contains("LogHandlersTest");
  }

  @Test
  void an_event_of_log4j_is_delivered() throws Exception {
    String xml =
        """
        <Configuration>
          <Appenders>
            <DataNadhi name="DATANADHI" directory="%s" pipelines="orders,audit"/>
          </Appenders>
          <Loggers><Root level="INFO"><AppenderRef ref="DATANADHI"/></Root></Loggers>
        </Configuration>
        """
            .formatted(directory);
    var context =
        Configurator.initialize(
            getClass().getClassLoader(),
            new ConfigurationSource(
                new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8))));
    ThreadContext.put("user", "u-1");
    try {
      context
          .getLogger("shop.Checkout")
          .error("card {} declined", 7, new IllegalStateException("no funds"));
      context.getLogger("com.datanadhi.sdk").error("from the SDK");
      JsonObject body = awaitBody();
      assertPayloadIsTheEvent(body);
      assertThat(
              body.getAsJsonObject("log_data").getAsJsonObject("context").get("user").getAsString())
          .isEqualTo("u-1");
      assertThat(DataNadhi.shared(directory).counters().submitted()).isEqualTo(1);
    } finally {
      ThreadContext.clearAll();
      context.close();
      assertThat(main.delivered()).isEqualTo(1);
    }
  }

  /** A queue that four records fill, and nothing that takes records but a slow main server. */
  private void makeQueueFull() throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        """
        server: {host: "%s", fallback_host: "%s"}
        echopost: {disable: true}
        async: {workers: 1, queue_bytes: 65536}
        """
            .formatted(main.url(), fallback.url()));
    Files.writeString(directory.resolve("dropped"), "no directory");
    fallback.goDown();
    main.slow(Duration.ofMillis(50));
  }

  private static final String LARGE = "x".repeat(20_000);

  @Test
  void a_handler_of_java_util_logging_waits_for_space_if_it_may() throws Exception {
    makeQueueFull();
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders", 60_000);
    for (int i = 0; i < 10; i++) {
      handler.publish(new java.util.logging.LogRecord(java.util.logging.Level.INFO, LARGE));
    }
    assertAllWereAccepted();
    handler.close();
  }

  @Test
  void a_handler_does_not_wait_for_space_by_default() throws Exception {
    makeQueueFull();
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders");
    List<Integer> errors = new ArrayList<>();
    handler.setErrorManager(
        new java.util.logging.ErrorManager() {
          @Override
          public void error(String message, Exception cause, int code) {
            assertThat(message).contains("the queue is full");
            errors.add(code);
          }
        });
    for (int i = 0; i < 10; i++) {
      handler.publish(new java.util.logging.LogRecord(java.util.logging.Level.INFO, LARGE));
    }
    assertThat(errors).isNotEmpty();
    assertThat(DataNadhi.shared(directory).counters().refused()).isEqualTo(errors.size());
    handler.close();
  }

  @Test
  void an_appender_of_logback_waits_for_space_if_it_may() throws Exception {
    makeQueueFull();
    LoggerContext context = new LoggerContext();
    context.setMDCAdapter(new ch.qos.logback.classic.util.LogbackMDCAdapter());
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    String xml =
        """
        <configuration>
          <appender name="DATANADHI" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%s</directory>
            <maxWaitMillis>60000</maxWaitMillis>
          </appender>
          <root level="INFO"><appender-ref ref="DATANADHI"/></root>
        </configuration>
        """
            .formatted(directory);
    configurator.doConfigure(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    for (int i = 0; i < 10; i++) {
      context.getLogger("shop").info(LARGE);
    }
    assertAllWereAccepted();
    context.stop();
  }

  @Test
  void an_appender_of_log4j_waits_for_space_if_it_may() throws Exception {
    makeQueueFull();
    String xml =
        """
        <Configuration>
          <Appenders>
            <DataNadhi name="DATANADHI" directory="%s" maxWaitMillis="60000"/>
          </Appenders>
          <Loggers><Root level="INFO"><AppenderRef ref="DATANADHI"/></Root></Loggers>
        </Configuration>
        """
            .formatted(directory);
    var context =
        Configurator.initialize(
            getClass().getClassLoader(),
            new ConfigurationSource(
                new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8))));
    for (int i = 0; i < 10; i++) {
      context.getLogger("shop").info(LARGE);
    }
    assertAllWereAccepted();
    context.close();
  }

  private void assertAllWereAccepted() throws Exception {
    DataNadhi client = DataNadhi.shared(directory);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().refused()).isZero();
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(10);
  }

  @Test
  void a_shared_client_that_was_closed_is_opened_again() throws Exception {
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders");
    publish(handler);
    DataNadhi first = DataNadhi.shared(directory);
    first.close();
    assertThat(DataNadhi.shared(directory)).isNotSameAs(first);
    publish(handler);
    assertThat(DataNadhi.shared(directory).flush(TIME_LIMIT)).isTrue();
    assertThat(main.delivered()).isEqualTo(2);
    assertThat(DataNadhi.shared(directory).counters().submitted()).isEqualTo(1);
    DataNadhi.shared(directory).close();
    handler.close();
  }

  @Test
  void the_last_handler_delivers_its_records_and_closes_the_client() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    DataNadhiHandler one = new DataNadhiHandler(directory.toString(), "orders");
    DataNadhiHandler two = new DataNadhiHandler(directory.toString(), "audit");
    main.slow(Duration.ofMillis(100));
    publish(one);
    publish(two);
    one.close();
    publish(two);
    two.close();
    await().atMost(TIME_LIMIT).until(() -> main.delivered() == 3);
    await().atMost(TIME_LIMIT).until(() -> noWorkerBut(before));
  }

  @Test
  void closing_the_last_handler_leaves_the_client_that_the_application_uses() throws Exception {
    DataNadhi client = DataNadhi.shared(directory);
    try {
      DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders");
      publish(handler);
      handler.close();
      assertThat(client.isClosed()).isFalse();
      assertThat(DataNadhi.shared(directory)).isSameAs(client);
    } finally {
      client.close();
    }
  }

  @Test
  void reading_the_configuration_of_java_util_logging_again_does_not_wait_for_deliveries()
      throws Exception {
    main.goDown();
    fallback.goDown();
    JavaProgram.Result result = JavaProgram.run(Reconfiguring.class, directory.toString());
    assertThat(result.status()).describedAs(result.errors()).isZero();
    assertThat(result.errors()).contains("no wait");
    assertThat(dropped()).hasSize(2);
  }

  /** Logs an event, configures java.util.logging again, and logs another one. */
  static final class Reconfiguring {
    public static void main(String[] args) throws Exception {
      String handler = DataNadhiHandler.class.getName();
      byte[] properties =
          "handlers = %s\n%s.directory = %s\n"
              .formatted(handler, handler, args[0])
              .getBytes(StandardCharsets.UTF_8);
      LogManager manager = LogManager.getLogManager();
      manager.readConfiguration(new ByteArrayInputStream(properties));
      Logger logger = Logger.getLogger("shop");
      logger.info("before");
      long start = System.nanoTime();
      manager.readConfiguration(new ByteArrayInputStream(properties));
      long millis = (System.nanoTime() - start) / 1_000_000;
      logger.info("after");
      // The exit time-out is 5 s.
      System.err.println(millis < 4_000 ? "no wait" : "waited for " + millis + " ms");
    }
  }

  private static boolean noWorkerBut(Set<Thread> known) {
    return CloseTest.threadsBut(known).stream()
        .noneMatch(thread -> thread.getName().startsWith("datanadhi-worker"));
  }

  private static void publish(DataNadhiHandler handler) {
    handler.publish(new java.util.logging.LogRecord(java.util.logging.Level.INFO, "one"));
  }
}
