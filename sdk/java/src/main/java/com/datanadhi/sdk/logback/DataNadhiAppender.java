package com.datanadhi.sdk.logback;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import com.datanadhi.sdk.internal.appender.EventPayload;
import com.datanadhi.sdk.internal.appender.SharedClient;
import org.jspecify.annotations.Nullable;

/**
 * Delivers what is logged with Logback. In {@code logback.xml}:
 *
 * <pre>{@code
 * <appender name="DATANADHI" class="com.datanadhi.sdk.logback.DataNadhiAppender">
 *   <directory>.datanadhi</directory>
 *   <pipelines>orders,audit</pipelines>
 * </appender>
 * }</pre>
 */
public final class DataNadhiAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
  private String directory = ".datanadhi";
  private String pipelines = "";
  private @Nullable SharedClient sink;

  /** Where the SDK's configuration is; default {@code .datanadhi}. */
  public void setDirectory(String directory) {
    this.directory = directory;
  }

  /** Their names, with commas between them; default none. */
  public void setPipelines(String pipelines) {
    this.pipelines = pipelines;
  }

  @Override
  public void start() {
    sink = new SharedClient(directory, pipelines);
    super.start();
  }

  @Override
  protected void append(ILoggingEvent logged) {
    SharedClient to = sink;
    if (to == null || EventPayload.isOurs(logged.getLoggerName())) {
      return;
    }
    EventPayload event =
        new EventPayload(
            logged.getInstant() == null
                ? java.time.Instant.ofEpochMilli(logged.getTimeStamp())
                : logged.getInstant(),
            logged.getLevel().toString(),
            logged.getLoggerName(),
            logged.getThreadName(),
            logged.getFormattedMessage());
    logged.getMDCPropertyMap().forEach(event::with);
    if (logged.getKeyValuePairs() != null) {
      logged.getKeyValuePairs().forEach(pair -> event.with(pair.key, pair.value));
    }
    if (logged.getThrowableProxy() instanceof ThrowableProxy proxy) {
      event.thrown(proxy.getThrowable());
    }
    try {
      if (!to.put(event)) {
        addWarn("a record was not taken");
      }
    } catch (RuntimeException bad) {
      addError(String.valueOf(bad.getMessage()), bad);
    }
  }
}
