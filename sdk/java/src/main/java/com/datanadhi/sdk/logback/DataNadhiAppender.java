package com.datanadhi.sdk.logback;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.appender.EventPayload;
import com.datanadhi.sdk.internal.appender.SharedClient;
import org.jspecify.annotations.Nullable;

/**
 * Delivers log events of Logback. It is configured in {@code logback.xml}:
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
  private long maxWaitMillis;
  private @Nullable SharedClient client;

  /** Sets the directory of the SDK's configuration; default {@code .datanadhi}. */
  public void setDirectory(String directory) {
    this.directory = directory;
  }

  /** Sets the names of the pipelines, separated by commas; default none. */
  public void setPipelines(String pipelines) {
    this.pipelines = pipelines;
  }

  /**
   * Sets how many milliseconds a thread that logs waits at most for space in the queue when that is
   * full; default 0.
   */
  public void setMaxWaitMillis(long maxWaitMillis) {
    this.maxWaitMillis = maxWaitMillis;
  }

  @Override
  public void start() {
    if (isStarted()) {
      return;
    }
    client = new SharedClient(directory, pipelines, maxWaitMillis);
    super.start();
  }

  /**
   * Closes the client, which delivers its records for up to the exit time-out, unless another
   * appender or the application uses it too.
   */
  @Override
  public void stop() {
    super.stop();
    SharedClient started = client;
    client = null;
    if (started != null) {
      started.close();
    }
  }

  @Override
  protected void append(ILoggingEvent logged) {
    SharedClient started = client;
    if (started == null || EventPayload.isFromSdk(logged.getLoggerName())) {
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
      SubmitResult result = started.submit(event);
      if (!result.isAccepted()) {
        addWarn(SharedClient.reason(result));
      }
    } catch (RuntimeException failed) {
      addError(String.valueOf(failed.getMessage()), failed);
    }
  }
}
