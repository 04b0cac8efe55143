package com.datanadhi.sdk.internal.appender;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What is the same in all events of a process, under the names of OpenTelemetry's resource
 * attributes. Thread-safe.
 */
final class EventResource {
  private static final String SDK_VERSION = sdkVersion();

  private final Optional<String> serviceName;
  private volatile @Nullable Map<String, Object> complete;

  EventResource(Optional<String> serviceName) {
    this.serviceName = serviceName;
  }

  /** The attributes; unmodifiable. The host is missing as long as its name is not known. */
  Map<String, Object> attributes() {
    Map<String, Object> known = complete;
    if (known != null) {
      return known;
    }
    String host = HostName.known();
    Map<String, Object> attributes = new LinkedHashMap<>();
    serviceName.ifPresent(name -> attributes.put("service.name", name));
    if (host != null) {
      attributes.put("host.name", host);
    }
    attributes.put("process.pid", ProcessHandle.current().pid());
    attributes.put("telemetry.sdk.version", SDK_VERSION);
    known = Collections.unmodifiableMap(attributes);
    if (host != null) {
      complete = known;
    }
    return known;
  }

  private static String sdkVersion() {
    Properties sdk = new Properties();
    try (InputStream file = EventResource.class.getResourceAsStream("sdk.properties")) {
      sdk.load(Objects.requireNonNull(file));
    } catch (IOException damaged) {
      throw new UncheckedIOException("The SDK's jar cannot be read", damaged);
    }
    return sdk.getProperty("version");
  }
}
