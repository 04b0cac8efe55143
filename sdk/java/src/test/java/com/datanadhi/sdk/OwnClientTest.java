package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import com.datanadhi.sdk.jul.DataNadhiHandler;
import com.datanadhi.sdk.logback.DataNadhiAppender;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.ErrorManager;
import java.util.logging.Logger;
import org.apache.logging.log4j.core.config.DefaultConfiguration;
import org.junit.jupiter.api.Test;

/** Appenders deliver through a client that the application has opened, and do not close it. */
class OwnClientTest extends AbstractSdkTest {
  private DataNadhi openHooked() {
    return open(
        configuration()
            .echoPostMode(EchoPostMode.NEVER)
            .beforeSend((pipelines, payload) -> {
              payload.put("seen", true);
              return payload;
            }));
  }

  private void assertDelivered(DataNadhi client, String message) throws Exception {
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.deliveries()).hasSize(1);
    assertThat(main.deliveries().get(0).body().get("pipelines")).hasToString("[\"orders\"]");
    var payload = main.deliveries().get(0).body().getAsJsonObject("log_data");
    assertThat(payload.get("message").getAsString()).isEqualTo(message);
    assertThat(payload.get("seen").getAsBoolean()).isTrue();
  }

  private void assertStillOpen(DataNadhi client) throws Exception {
    assertThat(client.isClosed()).isFalse();
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.deliveries()).hasSize(2);
  }

  @Test
  void a_logback_appender() throws Exception {
    DataNadhi client = openHooked();
    LoggerContext context = new LoggerContext();
    context.setMDCAdapter(new LogbackMDCAdapter());
    DataNadhiAppender appender = new DataNadhiAppender();
    appender.setContext(context);
    appender.setClient(client);
    appender.setPipelines("orders");
    appender.start();
    context.getLogger("ROOT").addAppender(appender);
    context.getLogger("shop").info("paid");
    assertDelivered(client, "paid");

    context.stop();
    assertStillOpen(client);
  }

  @Test
  void a_log4j_appender() throws Exception {
    DataNadhi client = openHooked();
    try (var context = new org.apache.logging.log4j.core.LoggerContext("own")) {
      DefaultConfiguration configuration = new DefaultConfiguration();
      context.start(configuration);
      var appender =
          com.datanadhi.sdk.log4j.DataNadhiAppender.of(
              "DN", client, "orders", 0, false, configuration);
      appender.start();
      configuration.addAppender(appender);
      configuration.getRootLogger().addAppender(appender, null, null);
      context.updateLoggers();
      context.getLogger("shop").error("paid");
      assertDelivered(client, "paid");
    }
    assertStillOpen(client);
  }

  @Test
  void a_handler_of_java_util_logging() throws Exception {
    DataNadhi client = openHooked();
    DataNadhiHandler handler = new DataNadhiHandler(client, "orders", 0);
    List<String> errors = new ArrayList<>();
    handler.setErrorManager(
        new ErrorManager() {
          @Override
          public void error(String message, Exception failure, int code) {
            errors.add(message);
          }
        });
    Logger logger = Logger.getLogger("own.shop");
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    closeAfterTest(() -> logger.removeHandler(handler));
    logger.info("paid");
    assertDelivered(client, "paid");

    client.close();
    logger.info("too late");
    assertThat(errors).containsExactly("a record was refused: the client is closed");
  }

  @Test
  void closing_a_handler_does_not_close_the_client() throws Exception {
    DataNadhi client = openHooked();
    DataNadhiHandler handler = new DataNadhiHandler(client, "orders", 0);
    handler.publish(new java.util.logging.LogRecord(java.util.logging.Level.INFO, "paid"));
    assertDelivered(client, "paid");
    handler.close();
    assertStillOpen(client);
  }
}
