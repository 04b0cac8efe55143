package com.datanadhi.sdk.logback;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.spi.AppenderAttachable;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.appender.AppenderSettings;
import com.datanadhi.sdk.internal.appender.EventClient;
import com.datanadhi.sdk.internal.appender.EventPayload;
import com.datanadhi.sdk.internal.appender.FirstEvent;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;

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
  private String apiKey = "";
  private String serverHost = "";
  private String fallbackHost = "";
  private String serviceName = "";
  private long maxWaitMillis;
  private String beforeSend = "";
  private boolean location;
  private @Nullable DataNadhi own;
  private @Nullable EventClient client;

  /** Sets the directory of the SDK's configuration; default {@code .datanadhi}. */
  public void setDirectory(String directory) {
    this.directory = directory;
  }

  /** Sets the names of the pipelines, separated by commas; default none. */
  public void setPipelines(String pipelines) {
    this.pipelines = pipelines;
  }

  /** Sets the API key; by default it comes from the environment, as it does if it is there. */
  public void setApiKey(String apiKey) {
    this.apiKey = apiKey;
  }

  /** Sets the URL of the main server, unless the environment has one. */
  public void setServerHost(String serverHost) {
    this.serverHost = serverHost;
  }

  /** Sets the URL of the fallback server, unless the environment has one. */
  public void setFallbackHost(String fallbackHost) {
    this.fallbackHost = fallbackHost;
  }

  /** Sets the name of the application in its records, unless the environment has one. */
  public void setServiceName(String serviceName) {
    this.serviceName = serviceName;
  }

  /**
   * Sets how many milliseconds a thread that logs waits at most for space in the queue when that is
   * full; default 0.
   */
  public void setMaxWaitMillis(long maxWaitMillis) {
    this.maxWaitMillis = maxWaitMillis;
  }

  /**
   * Sets the name of a class that implements {@link com.datanadhi.sdk.BeforeSend}, has a public
   * constructor without parameters, and gets each event before it is stored or delivered.
   */
  public void setBeforeSend(String className) {
    this.beforeSend = className;
  }

  /**
   * Delivers through a client of the application, in place of the one for the directory. To be set
   * before this appender is started. To stop the appender does not close the client: the
   * application does that, after the last event was logged. At the end of the process, an open
   * client is closed by itself.
   */
  public void setClient(DataNadhi client) {
    this.own = client;
  }

  /**
   * Sets whether records have the class, method, file and line that logged them; default false,
   * since Logback walks the stack for that. Behind an {@code AsyncAppender}, that one needs {@code
   * includeCallerData} too.
   */
  public void setLocation(boolean location) {
    this.location = location;
  }

  @Override
  public void start() {
    if (isStarted()) {
      return;
    }
    client = new FirstEvent();
    FirstEvent.rehearse(() -> append(example()));
    client =
        EventClient.of(
            own,
            new AppenderSettings(
                directory,
                pipelines,
                apiKey,
                serverHost,
                fallbackHost,
                serviceName,
                maxWaitMillis,
                beforeSend),
            this::stopAsyncAppenders);
    super.start();
  }

  private static LoggingEvent example() {
    LoggingEvent example = new LoggingEvent();
    example.setLoggerName("example");
    example.setThreadName(Thread.currentThread().getName());
    example.setLevel(Level.ERROR);
    example.setMessage("example {}");
    example.setArgumentArray(new Object[] {1});
    example.setInstant(Instant.now());
    example.setMDCPropertyMap(Map.of("name", "value"));
    example.addKeyValuePair(new KeyValuePair("name", "value"));
    return example;
  }

  /**
   * At the end of the process: Logback itself only does that with a shutdown hook of its own, which
   * is not there by default. An asynchronous appender passes its events on when it is stopped.
   */
  private void stopAsyncAppenders() {
    if (getContext() instanceof LoggerContext context) {
      for (Logger logger : context.getLoggerList()) {
        logger.iteratorForAppenders().forEachRemaining(this::stopIfAsync);
      }
    }
  }

  private void stopIfAsync(Appender<ILoggingEvent> appender) {
    if (appender instanceof AppenderAttachable<?> buffer && passesOn(buffer)) {
      appender.stop();
    }
  }

  /** Whether the appender passes events on to this one. */
  private boolean passesOn(AppenderAttachable<?> appender) {
    for (var next = appender.iteratorForAppenders(); next.hasNext(); ) {
      Appender<?> target = next.next();
      if (target == this || (target instanceof AppenderAttachable<?> also && passesOn(also))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Closes the client, which delivers its records for up to the exit time-out, unless another
   * appender or the application uses it too.
   */
  @Override
  public void stop() {
    super.stop();
    EventClient started = client;
    client = null;
    if (started != null) {
      started.close();
    }
  }

  @Override
  protected void append(ILoggingEvent logged) {
    EventClient started = client;
    if (started == null || EventPayload.isFromSdk(logged.getLoggerName(), logged.getThreadName())) {
      return;
    }
    EventPayload event =
        new EventPayload(
            logged.getInstant() == null
                ? java.time.Instant.ofEpochMilli(logged.getTimeStamp())
                : logged.getInstant(),
            logged.getLevel().toString(),
            severity(logged.getLevel().toInt()),
            logged.getLoggerName(),
            logged.getThreadName(),
            logged.getFormattedMessage());
    logged.getMDCPropertyMap().forEach(event::with);
    if (logged.getKeyValuePairs() != null) {
      logged.getKeyValuePairs().forEach(pair -> event.with(pair.key, pair.value));
    }
    event.marked(markers(logged.getMarkerList()));
    if (logged.getSequenceNumber() != 0) {
      event.recorded("sequence", logged.getSequenceNumber());
    }
    if (location && (logged.hasCallerData() || isLoggedHere(logged))) {
      Arrays.stream(logged.getCallerData()).findFirst().ifPresent(event::at);
    }
    IThrowableProxy thrown = logged.getThrowableProxy();
    if (thrown instanceof ThrowableProxy proxy) {
      event.thrown(proxy.getThrowable());
    } else if (thrown != null) {
      // An event of another process.
      event.thrown(thrown.getClassName(), thrown.getMessage(), ThrowableProxyUtil.asString(thrown));
    }
    try {
      SubmitResult result = started.submit(event);
      if (!result.isAccepted()) {
        addWarn(EventClient.reason(result));
      }
    } catch (RuntimeException failed) {
      addError(String.valueOf(failed.getMessage()), failed);
    }
  }

  /** Only the thread that logs an event has its caller on the stack. */
  private static boolean isLoggedHere(ILoggingEvent logged) {
    return Thread.currentThread().getName().equals(logged.getThreadName());
  }

  /** OpenTelemetry's number for a level. */
  private static int severity(int level) {
    if (level >= Level.ERROR_INT) {
      return 17;
    } else if (level >= Level.WARN_INT) {
      return 13;
    } else if (level >= Level.INFO_INT) {
      return 9;
    } else {
      return level >= Level.DEBUG_INT ? 5 : 1;
    }
  }

  /** The names of the markers, and of those that they contain. */
  private static Set<String> markers(@Nullable Collection<Marker> markers) {
    if (markers == null) {
      return Set.of();
    }
    Set<String> names = new LinkedHashSet<>();
    markers.forEach(marker -> addNames(marker, names));
    return names;
  }

  private static void addNames(Marker marker, Set<String> names) {
    if (names.add(marker.getName())) {
      marker.iterator().forEachRemaining(contained -> addNames(contained, names));
    }
  }
}
