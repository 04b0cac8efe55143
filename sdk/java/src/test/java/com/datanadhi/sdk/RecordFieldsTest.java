package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.spi.BasicSequenceNumberGenerator;
import com.datanadhi.sdk.jul.DataNadhiHandler;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.logging.log4j.MarkerManager;
import org.apache.logging.log4j.ThreadContext;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.message.StringMapMessage;
import org.apache.logging.log4j.message.StructuredDataMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Marker;
import org.slf4j.helpers.BasicMarkerFactory;

/** What the records of the log handlers carry, beside the message. */
class RecordFieldsTest extends AbstractSdkTest {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String SPAN = "b7ad6b7169203331";

  private final List<AutoCloseable> libraries = new ArrayList<>();

  @BeforeEach
  void configure() throws Exception {
    configure("service: {name: shop}");
  }

  private void configure(String settings) throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        """
        server: {host: "%s", fallback_host: "%s"}
        echopost: {disable: true}
        async: {workers: 1}
        %s
        """
            .formatted(main.url(), fallback.url(), settings));
  }

  @AfterEach
  void closeLibraries() throws Exception {
    for (AutoCloseable library : libraries) {
      library.close();
    }
    DataNadhi.shared(directory).close();
  }

  /** A logger of java.util.logging whose events arrive. */
  private Logger jul(boolean location) {
    Logger logger = Logger.getAnonymousLogger();
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders");
    handler.setLocation(location);
    logger.setLevel(Level.ALL);
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    libraries.add(handler::close);
    return logger;
  }

  /** A context of Logback; {@code async} are the elements of an asynchronous appender, or empty. */
  private ch.qos.logback.classic.LoggerContext logback(String options, String async)
      throws Exception {
    var context = new ch.qos.logback.classic.LoggerContext();
    context.setMDCAdapter(new LogbackMDCAdapter());
    context.setSequenceNumberGenerator(new BasicSequenceNumberGenerator());
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    String xml =
        """
        <configuration>
          <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%s</directory>
            %s
          </appender>
          <appender name="ASYNC" class="ch.qos.logback.classic.AsyncAppender">
            <appender-ref ref="DN"/>
            %s
          </appender>
          <root level="ALL"><appender-ref ref="%s"/></root>
        </configuration>
        """
            .formatted(directory, options, async, async.isEmpty() ? "DN" : "ASYNC");
    configurator.doConfigure(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    libraries.add(context::stop);
    return context;
  }

  /** As above, with attributes in place of elements. */
  private org.apache.logging.log4j.core.LoggerContext log4j(String options, String async)
      throws Exception {
    String xml =
        """
        <Configuration>
          <CustomLevels><CustomLevel name="NOTICE" intLevel="350"/></CustomLevels>
          <Appenders>
            <DataNadhi name="DN" directory="%s" %s/>
            <Async name="ASYNC" %s><AppenderRef ref="DN"/></Async>
          </Appenders>
          <Loggers><Root level="ALL"><AppenderRef ref="%s"/></Root></Loggers>
        </Configuration>
        """
            .formatted(directory, options, async, async.isEmpty() ? "DN" : "ASYNC");
    var context =
        Configurator.initialize(
            getClass().getClassLoader(),
            new ConfigurationSource(
                new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8))));
    libraries.add(() -> {
      ThreadContext.clearAll();
      context.close();
    });
    return context;
  }

  private void log(String library) throws Exception {
    switch (library) {
      case "jul" -> jul(false).info("event");
      case "logback" -> logback("", "").getLogger("shop").info("event");
      default -> log4j("", "").getLogger("shop").info("event");
    }
  }

  private List<JsonObject> awaitPayloads(int count) {
    await().atMost(TIME_LIMIT).until(() -> main.delivered() == count);
    return main.deliveries().stream().map(d -> d.body().getAsJsonObject("log_data")).toList();
  }

  private JsonObject awaitPayload() {
    return awaitPayloads(1).get(0);
  }

  private static JsonObject logRecord(JsonObject payload) {
    return payload.getAsJsonObject("log_record");
  }

  private static JsonObject contextOf(JsonObject payload) {
    return payload.getAsJsonObject("context");
  }

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j"})
  void a_record_names_the_service_the_host_the_process_and_the_sdk(String library)
      throws Exception {
    log(library);
    JsonObject resource = awaitPayload().getAsJsonObject("resource");
    Process uname = new ProcessBuilder("uname", "-n").start();
    String host = new String(uname.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    String version =
        Files.readString(Path.of("pom.xml"))
            .replaceFirst("(?s).*<artifactId>datanadhi-sdk</artifactId>\\s*<version>", "")
            .replaceFirst("(?s)<.*", "");
    assertThat(resource)
        .hasToString(
            "{\"service.name\":\"shop\",\"host.name\":\"%s\",\"process.pid\":%d,\"telemetry.sdk.version\":\"%s\"}"
                .formatted(host, ProcessHandle.current().pid(), version));
  }

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j"})
  void what_is_the_same_in_all_records_can_be_left_out(String library) throws Exception {
    configure("resource: {disable: true}");
    log(library);
    assertThat(awaitPayload().keySet())
        .containsExactly("message", "timestamp", "module_name", "log_record", "context");
  }

  @Test
  void a_record_that_is_kept_while_the_configuration_is_invalid_names_service_and_process()
      throws Exception {
    configure("unknown: 1");
    var context = logback("<serviceName>checkout</serviceName>", "");
    context.getLogger("shop").info("event");
    context.stop();
    assertThat(dropped()).hasSize(1);
    JsonObject resource = dropped().get(0).getAsJsonObject("log_data").getAsJsonObject("resource");
    assertThat(resource.keySet())
        .containsExactly("service.name", "host.name", "process.pid", "telemetry.sdk.version");
    assertThat(resource.get("service.name").getAsString()).isEqualTo("checkout");
    configure();
  }

  @Test
  void the_levels_of_java_util_logging_have_severity_numbers() {
    Logger logger = jul(false);
    List<Level> levels =
        List.of(
            Level.FINEST,
            Level.FINER,
            Level.FINE,
            Level.CONFIG,
            Level.INFO,
            new Level("NOTICE", 850) {},
            Level.WARNING,
            Level.SEVERE,
            new Level("ALERT", 1100) {});
    levels.forEach(level -> logger.log(level, "event"));
    assertThat(severities(levels.size()))
        .isEqualTo(
            "FINEST 1, FINER 5, FINE 6, CONFIG 7, INFO 9, NOTICE 9, WARNING 13, SEVERE 17, ALERT 17");
  }

  @Test
  void the_levels_of_logback_have_severity_numbers() throws Exception {
    org.slf4j.Logger logger = logback("", "").getLogger("shop");
    for (org.slf4j.event.Level level : org.slf4j.event.Level.values()) {
      logger.atLevel(level).log("event");
    }
    assertThat(severities(5)).isEqualTo("ERROR 17, WARN 13, INFO 9, DEBUG 5, TRACE 1");
  }

  @Test
  void the_levels_of_log4j_have_severity_numbers() throws Exception {
    var logger = log4j("", "").getLogger("shop");
    for (String level : List.of("FATAL", "ERROR", "WARN", "NOTICE", "INFO", "DEBUG", "TRACE")) {
      logger.log(org.apache.logging.log4j.Level.valueOf(level), "event");
    }
    assertThat(severities(7))
        .isEqualTo("FATAL 21, ERROR 17, WARN 13, NOTICE 9, INFO 9, DEBUG 5, TRACE 1");
  }

  private String severities(int count) {
    return String.join(
        ", ",
        awaitPayloads(count).stream()
            .map(RecordFieldsTest::logRecord)
            .map(r -> r.get("level").getAsString() + " " + r.get("severity_number"))
            .toList());
  }

  @Test
  void a_record_of_logback_has_all_markers_key_value_pairs_and_the_sequence() throws Exception {
    BasicMarkerFactory factory = new BasicMarkerFactory();
    Marker audit = factory.getMarker("AUDIT");
    audit.add(factory.getMarker("LEGAL"));
    factory.getMarker("LEGAL").add(factory.getMarker("EU"));
    logback("", "")
        .getLogger("shop")
        .atInfo()
        .addMarker(audit)
        .addMarker(factory.getMarker("EU"))
        .addMarker(factory.getMarker("MONEY"))
        .addKeyValue("amount", 12.5)
        .addKeyValue("items", List.of("a", "b"))
        .addKeyValue("nothing", (Object) null)
        .log("event");
    JsonObject payload = awaitPayload();
    assertThat(logRecord(payload).get("markers"))
        .hasToString("[\"AUDIT\",\"LEGAL\",\"EU\",\"MONEY\"]");
    assertThat(contextOf(payload))
        .hasToString("{\"amount\":12.5,\"items\":[\"a\",\"b\"],\"nothing\":null}");
    assertThat(logRecord(payload).get("sequence").getAsLong()).isPositive();
  }

  @Test
  void a_record_of_log4j_has_the_marker_its_parents_and_the_stack_of_the_thread_context()
      throws Exception {
    ThreadContext.push("order 7");
    ThreadContext.push("payment");
    ThreadContext.put("user", "u-1");
    var marker =
        MarkerManager.getMarker("CARD")
            .addParents(
                MarkerManager.getMarker("MONEY").addParents(MarkerManager.getMarker("AUDIT")),
                MarkerManager.getMarker("EU"));
    log4j("", "").getLogger("shop").warn(marker, "declined", new IllegalStateException("no funds"));
    JsonObject payload = awaitPayload();
    assertThat(logRecord(payload).get("markers"))
        .hasToString("[\"CARD\",\"MONEY\",\"AUDIT\",\"EU\"]");
    assertThat(logRecord(payload).get("ndc")).hasToString("[\"order 7\",\"payment\"]");
    assertThat(contextOf(payload).get("user").getAsString()).isEqualTo("u-1");
    JsonObject error = contextOf(payload).getAsJsonObject("error");
    assertThat(error.get("type").getAsString()).isEqualTo("java.lang.IllegalStateException");
    assertThat(error.get("message").getAsString()).isEqualTo("no funds");
  }

  @Test
  void the_fields_of_a_map_message_are_in_the_context() throws Exception {
    log4j("", "")
        .getLogger("shop")
        .info(new StringMapMessage().with("order", 7).with("user", "u-1").with("trace_id", "t-1"));
    JsonObject payload = awaitPayload();
    assertThat(contextOf(payload)).hasToString("{\"order\":7,\"user\":\"u-1\"}");
    assertThat(payload.get("trace_id").getAsString()).isEqualTo("t-1");
    assertThat(payload.get("message").getAsString()).contains("order=\"7\"");
  }

  @Test
  void the_fields_of_structured_data_are_in_the_context() throws Exception {
    var message = new StructuredDataMessage("transfer@32473", "money was sent", "payment");
    message.put("amount", "12");
    log4j("", "").getLogger("shop").info(message);
    JsonObject payload = awaitPayload();
    assertThat(payload.get("message").getAsString()).isEqualTo("money was sent");
    assertThat(contextOf(payload)).hasToString("{\"amount\":\"12\"}");
    assertThat(logRecord(payload).get("structured_data_id").getAsString())
        .isEqualTo("transfer@32473");
    assertThat(logRecord(payload).get("structured_data_type").getAsString()).isEqualTo("payment");
  }

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j"})
  void a_record_has_no_location_by_default(String library) throws Exception {
    log(library);
    assertThat(logRecord(awaitPayload()).keySet())
        .doesNotContain("class_name", "function_name", "filename", "line_number");
  }

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j", "logback behind async", "log4j behind async"})
  void a_record_has_its_location_on_request(String library) throws Exception {
    switch (library) {
      case "jul" -> jul(true).info("event");
      case "logback" -> logback("<location>true</location>", "").getLogger("shop").info("event");
      case "log4j" -> log4j("location='true'", "").getLogger("shop").info("event");
      case "logback behind async" ->
          logback("<location>true</location>", "<includeCallerData>true</includeCallerData>")
              .getLogger("shop")
              .info("event");
      default -> log4j("location='true'", "includeLocation='true'").getLogger("shop").info("event");
    }
    JsonObject place = logRecord(awaitPayload());
    assertThat(place.get("class_name").getAsString()).isEqualTo(getClass().getName());
    assertThat(place.get("function_name").getAsString())
        .isEqualTo("a_record_has_its_location_on_request");
    if (!library.equals("jul")) {
      assertThat(place.get("filename").getAsString()).isEqualTo("RecordFieldsTest.java");
      assertThat(place.get("line_number").getAsInt()).isPositive();
    }
  }

  private static Scope inSpan() {
    return Span.wrap(
            SpanContext.create(TRACE, SPAN, TraceFlags.getSampled(), TraceState.getDefault()))
        .makeCurrent();
  }

  private static List<String> ids(JsonObject payload) {
    List<String> ids = new ArrayList<>();
    for (String name : List.of("trace_id", "span_id")) {
      JsonElement id = payload.get(name);
      ids.add(id == null ? "none" : id.getAsString());
    }
    return ids;
  }

  @ParameterizedTest
  @ValueSource(strings = {"jul", "logback", "log4j"})
  void a_record_has_the_ids_of_the_current_span_of_opentelemetry(String library) throws Exception {
    try (Scope span = inSpan()) {
      log(library);
    }
    log(library);
    List<JsonObject> payloads = awaitPayloads(2);
    assertThat(ids(payloads.get(0))).containsExactly(TRACE, SPAN);
    assertThat(ids(payloads.get(1))).containsExactly("none", "none");
  }

  /** With the names of OpenTelemetry's instrumentation, and with those of Spring Boot. */
  @ParameterizedTest
  @ValueSource(strings = {"trace_id span_id", "traceId spanId"})
  void ids_in_the_mapped_diagnostic_context_come_before_the_current_span(String names)
      throws Exception {
    String[] name = names.split(" ");
    var logback = logback("", "");
    log4j("", "");
    logback.getMDCAdapter().put(name[0], "t-1");
    logback.getMDCAdapter().put(name[1], "s-1");
    ThreadContext.putAll(Map.of(name[0], "t-1", name[1], "s-1"));
    try (Scope span = inSpan()) {
      logback.getLogger("shop").info("event");
      org.apache.logging.log4j.LogManager.getContext(getClass().getClassLoader(), false)
          .getLogger("shop")
          .info("event");
    }
    assertThat(awaitPayloads(2))
        .allSatisfy(payload -> {
          assertThat(ids(payload)).containsExactly("t-1", "s-1");
          assertThat(contextOf(payload).keySet()).isEmpty();
        });
  }

  /** The thread that passes the events on can be in a span of its own, which is not theirs. */
  @ParameterizedTest
  @ValueSource(strings = {"logback", "log4j"})
  void behind_an_asynchronous_appender_only_the_mapped_diagnostic_context_has_ids(String library)
      throws Exception {
    boolean isLogback = library.equals("logback");
    var logback = isLogback ? logback("", "<queueSize>10</queueSize>") : null;
    var log4j = isLogback ? null : log4j("", "bufferSize='16'");
    Runnable log =
        () -> {
          if (logback != null) {
            logback.getLogger("shop").info("event");
          } else {
            log4j.getLogger("shop").info("event");
          }
        };
    try (Scope span = inSpan()) {
      log.run();
      if (logback != null) {
        logback.getMDCAdapter().put("trace_id", "t-1");
      } else {
        ThreadContext.put("trace_id", "t-1");
      }
      log.run();
    }
    List<JsonObject> payloads = awaitPayloads(2);
    assertThat(ids(payloads.get(0))).containsExactly("none", "none");
    assertThat(ids(payloads.get(1))).containsExactly("t-1", "none");
  }

  /** As an appender that passes events on while its own thread works in a span. */
  @Test
  void an_event_of_another_thread_does_not_get_the_span_of_the_current_one() throws Exception {
    DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders");
    libraries.add(handler::close);
    var event = new java.util.logging.LogRecord(Level.INFO, "event");
    Thread passingOn =
        new Thread(() -> {
          try (Scope span = inSpan()) {
            handler.publish(event);
          }
        });
    passingOn.start();
    passingOn.join();
    assertThat(ids(awaitPayload())).containsExactly("none", "none");
  }
}
