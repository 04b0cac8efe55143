package com.datanadhi.sdk.log4j;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.appender.AppenderSettings;
import com.datanadhi.sdk.internal.appender.EventClient;
import com.datanadhi.sdk.internal.appender.EventPayload;
import com.datanadhi.sdk.internal.appender.FirstEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.Marker;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.Core;
import org.apache.logging.log4j.core.Filter;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.core.config.plugins.Plugin;
import org.apache.logging.log4j.core.config.plugins.PluginAttribute;
import org.apache.logging.log4j.core.config.plugins.PluginConfiguration;
import org.apache.logging.log4j.core.config.plugins.PluginElement;
import org.apache.logging.log4j.core.config.plugins.PluginFactory;
import org.apache.logging.log4j.core.impl.ContextDataFactory;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.core.util.DefaultShutdownCallbackRegistry;
import org.apache.logging.log4j.message.MapMessage;
import org.apache.logging.log4j.message.Message;
import org.apache.logging.log4j.message.ParameterizedMessage;
import org.apache.logging.log4j.message.StructuredDataMessage;
import org.apache.logging.log4j.spi.StandardLevel;
import org.apache.logging.log4j.util.StringMap;
import org.jspecify.annotations.Nullable;

/**
 * Delivers log events of Log4j 2. It is configured in {@code log4j2.xml}:
 *
 * <pre>{@code
 * <Configuration packages="com.datanadhi.sdk.log4j">
 *   <Appenders>
 *     <DataNadhi name="DATANADHI" directory=".datanadhi" pipelines="orders,audit"/>
 *   </Appenders>
 * }</pre>
 */
@Plugin(name = "DataNadhi", category = Core.CATEGORY_NAME, elementType = Appender.ELEMENT_TYPE)
public final class DataNadhiAppender extends AbstractAppender {
  private final Configuration configuration;
  private final AppenderSettings settings;
  private final boolean location;
  private final @Nullable DataNadhi own;
  private volatile @Nullable EventClient client;

  private DataNadhiAppender(
      String name,
      @Nullable Filter filter,
      boolean ignoreExceptions,
      Configuration configuration,
      AppenderSettings settings,
      boolean location,
      @Nullable DataNadhi own) {
    super(name, filter, null, ignoreExceptions, Property.EMPTY_ARRAY);
    this.configuration = configuration;
    this.settings = settings;
    this.location = location;
    this.own = own;
  }

  /**
   * Called by Log4j with the attributes of the element in its configuration. A thread that logs
   * waits at most {@code maxWaitMillis}, default 0, for space in the queue when that is full.
   * {@code beforeSend} is the name of a class that implements {@link com.datanadhi.sdk.BeforeSend}.
   * With {@code location}, default false, records have the class, method, file and line that logged
   * them, for which Log4j walks the stack; asynchronous loggers and appenders then need {@code
   * includeLocation} too.
   */
  @PluginFactory
  public static DataNadhiAppender create(
      @PluginAttribute("name") String name,
      @PluginElement("Filter") @Nullable Filter filter,
      @PluginAttribute(value = "ignoreExceptions", defaultBoolean = true) boolean ignoreExceptions,
      @PluginAttribute(value = "directory", defaultString = ".datanadhi") String directory,
      @PluginAttribute("pipelines") @Nullable String pipelines,
      @PluginAttribute(value = "apiKey", sensitive = true) @Nullable String apiKey,
      @PluginAttribute("serverHost") @Nullable String serverHost,
      @PluginAttribute("fallbackHost") @Nullable String fallbackHost,
      @PluginAttribute("serviceName") @Nullable String serviceName,
      @PluginAttribute("maxWaitMillis") long maxWaitMillis,
      @PluginAttribute("beforeSend") @Nullable String beforeSend,
      @PluginAttribute("location") boolean location,
      @PluginConfiguration Configuration configuration) {
    return new DataNadhiAppender(
        name,
        filter,
        ignoreExceptions,
        configuration,
        new AppenderSettings(
            directory,
            orEmpty(pipelines),
            orEmpty(apiKey),
            orEmpty(serverHost),
            orEmpty(fallbackHost),
            orEmpty(serviceName),
            maxWaitMillis,
            orEmpty(beforeSend)),
        location,
        null);
  }

  /**
   * Makes an appender in code that delivers through a client of the application. To stop the
   * appender does not close the client: the application does that, after the last event was logged.
   * At the end of the process, an open client is closed by itself.
   *
   * @param name of the appender
   * @param client which delivers the events
   * @param pipelines the names of the pipelines, separated by commas
   * @param maxWaitMillis how long a thread that logs waits at most for space in the queue
   * @param location whether records have the class, method, file and line that logged them
   * @param configuration to which the appender will be added
   */
  public static DataNadhiAppender of(
      String name,
      DataNadhi client,
      String pipelines,
      long maxWaitMillis,
      boolean location,
      Configuration configuration) {
    return new DataNadhiAppender(
        name,
        null,
        true,
        configuration,
        new AppenderSettings("", pipelines, "", "", "", "", maxWaitMillis, ""),
        location,
        Objects.requireNonNull(client));
  }

  private static String orEmpty(@Nullable String attribute) {
    return attribute == null ? "" : attribute;
  }

  @Override
  public void start() {
    if (client == null) {
      client = new FirstEvent();
      FirstEvent.rehearse(() -> append(example()));
      client = EventClient.of(own, settings, this::stopLogging);
    }
    super.start();
  }

  private static LogEvent example() {
    StringMap context = ContextDataFactory.createContextData();
    context.putValue("name", "value");
    return Log4jLogEvent.newBuilder()
        .setLoggerName("example")
        .setThreadName(Thread.currentThread().getName())
        .setLevel(Level.ERROR)
        .setMessage(new ParameterizedMessage("example {}", 1))
        .setContextData(context)
        .build();
  }

  /**
   * At the end of the process: asynchronous loggers and appenders pass their events on when they
   * are stopped. Log4j's shutdown hook stops them, unless the configuration disables it.
   */
  private void stopLogging() {
    try {
      for (Thread hook : threadsIn(DefaultShutdownCallbackRegistry.class)) {
        hook.join();
      }
    } catch (InterruptedException unexpected) {
      return;
    }
    LoggerContext context = configuration.getLoggerContext();
    if (context != null) {
      context.stop();
    }
  }

  private static List<Thread> threadsIn(Class<?> type) {
    List<Thread> found = new ArrayList<>();
    Thread.getAllStackTraces()
        .forEach((thread, stack) -> {
          if (Arrays.stream(stack).anyMatch(f -> f.getClassName().equals(type.getName()))) {
            found.add(thread);
          }
        });
    return found;
  }

  /**
   * Closes the client, which delivers its records for up to the exit time-out, unless another
   * appender or the application uses it too.
   */
  @Override
  public boolean stop(long timeout, TimeUnit unit) {
    boolean stopped = super.stop(timeout, unit);
    EventClient started = client;
    client = null;
    if (started != null) {
      started.close();
    }
    return stopped;
  }

  /** Makes the loggers find out where an event was logged. */
  @Override
  public boolean requiresLocation() {
    return location;
  }

  @Override
  public void append(LogEvent logged) {
    EventClient started = client;
    if (started == null || EventPayload.isFromSdk(logged.getLoggerName(), logged.getThreadName())) {
      return;
    }
    EventPayload event =
        new EventPayload(
            Instant.ofEpochSecond(
                logged.getInstant().getEpochSecond(), logged.getInstant().getNanoOfSecond()),
            logged.getLevel().name(),
            severity(logged.getLevel().intLevel()),
            logged.getLoggerName(),
            logged.getThreadName(),
            EventPayload.read(logged.getMessage(), () -> text(logged.getMessage())));
    logged.getContextData().forEach(event::with);
    addFields(logged.getMessage(), event);
    event.marked(markers(logged.getMarker())).nested(logged.getContextStack().asList());
    StackTraceElement place = location ? logged.getSource() : null;
    if (place != null) {
      event.at(place);
    }
    event.thrown(logged.getThrown());
    try {
      SubmitResult result = started.submit(event);
      if (!result.isAccepted()) {
        error(EventClient.reason(result));
      }
    } catch (RuntimeException failed) {
      error(String.valueOf(failed.getMessage()), logged, failed);
    }
  }

  /** Without the data of a structured message, which the event has as fields. */
  private static String text(Message message) {
    return message instanceof StructuredDataMessage structured
        ? String.valueOf(structured.getFormat())
        : message.getFormattedMessage();
  }

  private static void addFields(Message message, EventPayload event) {
    if (message instanceof MapMessage<?, ?> map) {
      map.forEach(event::with);
    }
    if (message instanceof StructuredDataMessage structured) {
      event
          .recorded("structured_data_id", structured.getId())
          .recorded("structured_data_type", structured.getType());
    }
  }

  /**
   * OpenTelemetry's number for a level. A level of the application has that of the standard level
   * below it; Log4j's numbers are lower for what is more severe.
   */
  private static int severity(int level) {
    if (level <= StandardLevel.FATAL.intLevel()) {
      return 21;
    } else if (level <= StandardLevel.ERROR.intLevel()) {
      return 17;
    } else if (level <= StandardLevel.WARN.intLevel()) {
      return 13;
    } else if (level <= StandardLevel.INFO.intLevel()) {
      return 9;
    } else {
      return level <= StandardLevel.DEBUG.intLevel() ? 5 : 1;
    }
  }

  /** The name of the marker, and those of its parents. */
  private static Set<String> markers(@Nullable Marker marker) {
    if (marker == null) {
      return Set.of();
    }
    Set<String> names = new LinkedHashSet<>();
    addNames(marker, names);
    return names;
  }

  private static void addNames(Marker marker, Set<String> names) {
    Marker[] parents = marker.getParents();
    if (names.add(marker.getName()) && parents != null) {
      Arrays.stream(parents).forEach(parent -> addNames(parent, names));
    }
  }
}
