package com.datanadhi.sdk.internal.logging;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.time.ManualTime;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RateLimitedLogTest {
  private final ManualTime time = new ManualTime();
  private final RateLimitedLog log = new RateLimitedLog(time);
  private final Logger logger = Logger.getLogger(RateLimitedLog.LOGGER);
  private final List<String> messages = new ArrayList<>();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord logged) {
          messages.add(logged.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void addHandler() {
    logger.addHandler(handler);
  }

  @AfterEach
  void removeHandler() {
    logger.removeHandler(handler);
  }

  @Test
  void a_message_that_repeats_is_logged_once_in_ten_seconds() {
    log.logRateLimited(Level.ERROR, "files", "first");
    log.logRateLimited(Level.ERROR, "files", "second");
    time.advance(Duration.ofSeconds(10).minusNanos(1));
    log.logRateLimited(Level.ERROR, "files", "third");
    log.logRateLimited(Level.ERROR, "other subject", "other");
    assertThat(messages).containsExactly("first", "other");
    time.advance(Duration.ofNanos(1));
    log.logRateLimited(Level.ERROR, "files", "fourth");
    assertThat(messages)
        .containsExactly("first", "other", "fourth (2 similar messages were not logged)");
  }

  @Test
  void an_exception_of_the_applications_logging_is_not_thrown() {
    Handler failing =
        new Handler() {
          @Override
          public void publish(LogRecord logged) {
            throw new IllegalStateException("logging is broken");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(failing);
    try {
      log.log(Level.ERROR, "one");
      log.logRateLimited(Level.ERROR, "files", "two");
    } finally {
      logger.removeHandler(failing);
    }
    assertThat(messages).containsExactly("one", "two");
  }
}
