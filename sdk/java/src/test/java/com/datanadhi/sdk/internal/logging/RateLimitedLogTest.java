package com.datanadhi.sdk.internal.logging;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.time.ManualTime;
import com.datanadhi.sdk.testkit.SdkLog;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RateLimitedLogTest {
  private final ManualTime time = new ManualTime();
  private final RateLimitedLog log = new RateLimitedLog(time);
  private final List<String> messages = new ArrayList<>();
  private final SdkLog logged = new SdkLog(message -> messages.add(message.getMessage()));

  @AfterEach
  void closeLog() {
    logged.close();
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
  void an_exception_or_error_of_the_applications_logging_is_not_thrown() {
    try (SdkLog unused =
        new SdkLog(message -> {
          if (messages.size() == 1) {
            throw new IllegalStateException("logging is broken");
          }
          throw new LinkageError("logging is gone");
        })) {
      log.log(Level.ERROR, "one");
      log.logRateLimited(Level.ERROR, "files", "two");
    }
    assertThat(messages).containsExactly("one", "two");
  }
}
