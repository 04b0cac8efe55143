package com.datanadhi.sdk;

import com.datanadhi.sdk.internal.config.ConfigurationLoader;
import com.datanadhi.sdk.internal.config.SettingValidator;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a client. {@link #load} reads them from {@code config.yml} in a directory and
 * from the environment; {@link #builder} sets them in code. Immutable.
 */
public final class DataNadhiConfiguration {
  private final Path directory;
  private final String apiKey;
  private final URI serverHost;
  private final URI fallbackHost;
  private final EchoPostMode echoPostMode;
  private final URI downloadUrl;
  private final int queueBytes;
  private final int queueSize;
  private final int workers;
  private final Duration exitTimeout;
  private final int batchSize;
  private final int batchBytes;
  private final Duration batchDelay;
  private final int maxRecordBytes;
  private final boolean redeliverAutomatically;
  private final int droppedMaxBytes;
  private final Duration droppedMaxAge;
  private final @Nullable Path caFile;
  private final @Nullable SSLContext sslContext;
  private final String proxy;
  private final String noProxy;
  private final @Nullable BeforeSend beforeSend;
  private final @Nullable FailureListener failureListener;
  private final @Nullable String serviceName;
  private final boolean resourceDisabled;

  private DataNadhiConfiguration(Builder builder) {
    this.directory = builder.directory;
    this.apiKey = SettingValidator.apiKey(builder.apiKey);
    this.serverHost = builder.serverHost;
    this.fallbackHost = builder.fallbackHost;
    this.echoPostMode = builder.echoPostMode;
    this.downloadUrl = builder.downloadUrl;
    this.queueBytes = builder.queueBytes;
    this.queueSize = builder.queueSize;
    this.workers = builder.workers;
    this.exitTimeout = builder.exitTimeout;
    this.batchSize = builder.batchSize;
    this.batchBytes = builder.batchBytes;
    this.batchDelay = builder.batchDelay;
    this.maxRecordBytes = builder.maxRecordBytes;
    this.redeliverAutomatically = builder.redeliverAutomatically;
    this.droppedMaxBytes = builder.droppedMaxBytes;
    this.droppedMaxAge = builder.droppedMaxAge;
    this.caFile = builder.caFile;
    this.sslContext = builder.sslContext;
    this.proxy = builder.proxy;
    this.noProxy = builder.noProxy;
    this.beforeSend = builder.beforeSend;
    this.failureListener = builder.failureListener;
    this.serviceName = builder.serviceName;
    this.resourceDisabled = builder.resourceDisabled;
  }

  /**
   * Reads the settings of {@code directory}: from system properties, whose names are {@code
   * datanadhi.} and the key, for example {@code datanadhi.server.host}; else from the environment;
   * else from {@code config.yml} (or {@code config.yaml}). A setting without a value has its
   * default. The API key comes from the system property {@code datanadhi.api_key} or the
   * environment variable {@code DATANADHI_API_KEY}, but not from the file.
   *
   * @throws ConfigurationException if a value is invalid, the file cannot be read or has an unknown
   *     key, or there is no API key
   */
  public static DataNadhiConfiguration load(Path directory) {
    return load(directory, System.getenv());
  }

  /** As {@link #load(Path)}, with {@code environment} in place of the process's environment. */
  public static DataNadhiConfiguration load(Path directory, Map<String, String> environment) {
    return ConfigurationLoader.load(directory, environment, Map.of());
  }

  /** A builder in which every setting has its default, except the API key, which has none. */
  public static Builder builder(Path directory) {
    return new Builder(directory);
  }

  /** A builder in which every setting has the value of this configuration. */
  public Builder toBuilder() {
    Builder builder = new Builder(directory);
    builder.apiKey = apiKey;
    builder.serverHost = serverHost;
    builder.fallbackHost = fallbackHost;
    builder.echoPostMode = echoPostMode;
    builder.downloadUrl = downloadUrl;
    builder.queueBytes = queueBytes;
    builder.queueSize = queueSize;
    builder.workers = workers;
    builder.exitTimeout = exitTimeout;
    builder.batchSize = batchSize;
    builder.batchBytes = batchBytes;
    builder.batchDelay = batchDelay;
    builder.maxRecordBytes = maxRecordBytes;
    builder.redeliverAutomatically = redeliverAutomatically;
    builder.droppedMaxBytes = droppedMaxBytes;
    builder.droppedMaxAge = droppedMaxAge;
    builder.caFile = caFile;
    builder.sslContext = sslContext;
    builder.proxy = proxy;
    builder.noProxy = noProxy;
    builder.beforeSend = beforeSend;
    builder.failureListener = failureListener;
    builder.serviceName = serviceName;
    builder.resourceDisabled = resourceDisabled;
    return builder;
  }

  /** The directory of the configuration, EchoPost and the dropped files; an absolute path. */
  public Path directory() {
    return directory;
  }

  /** The API key, which is sent with every record. The SDK writes it to no log and no file. */
  public String apiKey() {
    return apiKey;
  }

  /** The URL of the main server, without a slash at its end. */
  public URI serverHost() {
    return serverHost;
  }

  /** The URL of the fallback server, without a slash at its end. */
  public URI fallbackHost() {
    return fallbackHost;
  }

  /** Whether and how EchoPost is used. */
  public EchoPostMode echoPostMode() {
    return echoPostMode;
  }

  /** Whether EchoPost is not used: its mode is {@link EchoPostMode#NEVER}. */
  public boolean echoPostDisabled() {
    return echoPostMode == EchoPostMode.NEVER;
  }

  /**
   * The URL from which EchoPost is downloaded; the SDK appends {@code
   * /{os}/{arch}/echopost-latest}.
   */
  public URI downloadUrl() {
    return downloadUrl;
  }

  /**
   * The most bytes of memory for records that are not delivered yet, those that are being sent
   * included.
   */
  public int queueBytes() {
    return queueBytes;
  }

  /** The most records that wait in memory; 0 if only their bytes are bounded. */
  public int queueSize() {
    return queueSize;
  }

  /** The number of delivery threads. With one, each destination gets records in submit order. */
  public int workers() {
    return workers;
  }

  /** The longest wait for the delivery of records when the client is closed or the JVM ends. */
  public Duration exitTimeout() {
    return exitTimeout;
  }

  /** The most records in a batch to the main server; 1 means that no batches are sent. */
  public int batchSize() {
    return batchSize;
  }

  /** The most bytes in a batch to the main server, before compression. */
  public int batchBytes() {
    return batchBytes;
  }

  /** How long a record waits for others, so that a batch forms. */
  public Duration batchDelay() {
    return batchDelay;
  }

  /** The most bytes of a payload as JSON in UTF-8; a larger one is truncated. */
  public int maxRecordBytes() {
    return maxRecordBytes;
  }

  /** Whether records in files are sent again without a call of {@link DataNadhi#redeliver}. */
  public boolean redeliverAutomatically() {
    return redeliverAutomatically;
  }

  /** The size of all files in {@code dropped/} at which no further one is begun, in bytes. */
  public int droppedMaxBytes() {
    return droppedMaxBytes;
  }

  /** The age at which files in {@code dropped/} are deleted. */
  public Duration droppedMaxAge() {
    return droppedMaxAge;
  }

  /** The file of certificates that are trusted in addition to those of the JVM, if there is one. */
  public Optional<Path> caFile() {
    return Optional.ofNullable(caFile);
  }

  /** What was set with {@link Builder#sslContext}. */
  public Optional<SSLContext> sslContext() {
    return Optional.ofNullable(sslContext);
  }

  /** The URL of the proxy, which can contain a password; {@code direct}; or empty. */
  public String proxy() {
    return proxy;
  }

  /** The servers without a proxy, separated by commas; empty for the variable {@code no_proxy}. */
  public String noProxy() {
    return noProxy;
  }

  /** What decides about each record before it is stored, if there is something. */
  public Optional<BeforeSend> beforeSend() {
    return Optional.ofNullable(beforeSend);
  }

  /** What is told of failures, if there is something. */
  public Optional<FailureListener> failureListener() {
    return Optional.ofNullable(failureListener);
  }

  /** The name of the application in the records of log handlers, if it has one. */
  public Optional<String> serviceName() {
    return Optional.ofNullable(serviceName);
  }

  /** Whether the records of log handlers are without the member {@code resource}. */
  public boolean resourceDisabled() {
    return resourceDisabled;
  }

  /** The settings without the API key, the download URL, TLS and proxies. */
  @Override
  public String toString() {
    return "DataNadhiConfiguration[directory=%s, serverHost=%s, fallbackHost=%s, echoPostMode=%s, queueBytes=%d, queueSize=%d, workers=%d, exitTimeout=%s, batchSize=%d, batchBytes=%d, batchDelay=%s, maxRecordBytes=%d, redeliverAutomatically=%s, droppedMaxBytes=%d, droppedMaxAge=%s, serviceName=%s, resourceDisabled=%s]"
        .formatted(
            directory,
            serverHost,
            fallbackHost,
            echoPostMode,
            queueBytes,
            queueSize,
            workers,
            exitTimeout,
            batchSize,
            batchBytes,
            batchDelay,
            maxRecordBytes,
            redeliverAutomatically,
            droppedMaxBytes,
            droppedMaxAge,
            serviceName().orElse(""),
            resourceDisabled);
  }

  /**
   * Builds a configuration. Each method throws a {@link ConfigurationException} if its value is
   * invalid. Not thread-safe.
   */
  public static final class Builder {
    private final Path directory;
    private String apiKey = "";
    private URI serverHost = URI.create("http://data-nadhi-server:5000");
    private URI fallbackHost = URI.create("http://datanadhi-fallback-server:5001");
    private EchoPostMode echoPostMode = EchoPostMode.AUTO;
    private URI downloadUrl = URI.create("https://downloads.datanadhi.com/echopost");
    private int queueBytes = 16 << 20;
    private int queueSize;
    private int workers = 2;
    private Duration exitTimeout = Duration.ofSeconds(5);
    private int batchSize = 500;
    private int batchBytes = 1 << 20;
    private Duration batchDelay = Duration.ofMillis(50);
    private int maxRecordBytes = 1 << 20;
    private boolean redeliverAutomatically = true;
    private int droppedMaxBytes = 1 << 30;
    private Duration droppedMaxAge = Duration.ofDays(30);
    private @Nullable Path caFile;
    private @Nullable SSLContext sslContext;
    private String proxy = "";
    private String noProxy = "";
    private @Nullable BeforeSend beforeSend;
    private @Nullable FailureListener failureListener;
    private @Nullable String serviceName;
    private boolean resourceDisabled;

    private Builder(Path directory) {
      this.directory = directory.toAbsolutePath().normalize();
    }

    /** Sets the API key, which is required. */
    public Builder apiKey(String apiKey) {
      this.apiKey = SettingValidator.apiKey(apiKey);
      return this;
    }

    /** Sets the URL of the main server; default {@code http://data-nadhi-server:5000}. */
    public Builder serverHost(String url) {
      this.serverHost = SettingValidator.url("serverHost", url);
      return this;
    }

    /**
     * Sets the URL of the fallback server; default {@code http://datanadhi-fallback-server:5001}.
     */
    public Builder fallbackHost(String url) {
      this.fallbackHost = SettingValidator.url("fallbackHost", url);
      return this;
    }

    /** Sets whether and how EchoPost is used; default {@link EchoPostMode#AUTO}. */
    public Builder echoPostMode(EchoPostMode mode) {
      this.echoPostMode = Objects.requireNonNull(mode);
      return this;
    }

    /**
     * With true, sets the mode to {@link EchoPostMode#NEVER}; with false, from that back to {@link
     * EchoPostMode#AUTO}.
     */
    public Builder echoPostDisabled(boolean disabled) {
      if (disabled) {
        this.echoPostMode = EchoPostMode.NEVER;
      } else if (echoPostMode == EchoPostMode.NEVER) {
        this.echoPostMode = EchoPostMode.AUTO;
      }
      return this;
    }

    /** Sets the download URL; default {@code https://downloads.datanadhi.com/echopost}. */
    public Builder downloadUrl(String url) {
      this.downloadUrl = SettingValidator.url("downloadUrl", url);
      return this;
    }

    /**
     * Sets how many bytes of memory the records that are not delivered yet can occupy: 65,536 to
     * 1,073,741,824; default 16,777,216. A record counts 256, and one per character of its payload
     * as JSON, or two if that has characters outside ASCII.
     */
    public Builder queueBytes(int bytes) {
      this.queueBytes = SettingValidator.intInRange("queueBytes", bytes, 1 << 16, 1 << 30);
      return this;
    }

    /**
     * Sets how many records can wait in memory, besides the bound on their bytes: 10 to 1,000,000;
     * default any number.
     */
    public Builder queueSize(int records) {
      this.queueSize = SettingValidator.intInRange("queueSize", records, 10, 1_000_000);
      return this;
    }

    /**
     * Sets the number of delivery threads: 1 to 64; default 2. Each of several sends up to 8
     * records at the same time to a main server that takes no batches.
     */
    public Builder workers(int threads) {
      this.workers = SettingValidator.intInRange("workers", threads, 1, 64);
      return this;
    }

    /** Sets how long a closing client waits for deliveries: 0 s to 10 min; default 5 s. */
    public Builder exitTimeout(Duration timeout) {
      this.exitTimeout = SettingValidator.exitTimeout("exitTimeout", timeout);
      return this;
    }

    /**
     * Sets how many records a batch to the main server can have: 1 to 1,000; default 500. With 1,
     * records are sent one by one, even to a server that offers batches.
     */
    public Builder batchSize(int records) {
      this.batchSize = SettingValidator.intInRange("batchSize", records, 1, 1_000);
      return this;
    }

    /**
     * Sets how many bytes a batch to the main server can have before compression: 1,024 to
     * 4,194,304; default 1,048,576. A larger record is sent by itself.
     */
    public Builder batchBytes(int bytes) {
      this.batchBytes = SettingValidator.intInRange("batchBytes", bytes, 1 << 10, 4 << 20);
      return this;
    }

    /**
     * Sets how long a record waits for others, so that a batch forms: 0 s to 1 s; default 50 ms. It
     * does not wait while the main server offers no batches, nor when the client is closed.
     */
    public Builder batchDelay(Duration longest) {
      this.batchDelay = SettingValidator.batchDelay("batchDelay", longest);
      return this;
    }

    /**
     * Sets how many bytes a payload can have, as JSON in UTF-8: 1,024 to 16,777,216; default
     * 1,048,576. {@link DataNadhi#submit} truncates a larger payload, and {@link
     * DataNadhi#submitJson} throws an exception.
     */
    public Builder maxRecordBytes(int bytes) {
      this.maxRecordBytes = SettingValidator.intInRange("maxRecordBytes", bytes, 1 << 10, 16 << 20);
      return this;
    }

    /**
     * Sets whether records in files are sent again without a call of {@link DataNadhi#redeliver};
     * default true.
     */
    public Builder redeliverAutomatically(boolean redeliver) {
      this.redeliverAutomatically = redeliver;
      return this;
    }

    /**
     * Sets the size of all files in {@code dropped/} at which no further one is begun: 1,048,576 to
     * 2,147,483,647 bytes; default 1,073,741,824. At that size records stay in memory, as if the
     * disk were full.
     */
    public Builder droppedMaxBytes(int bytes) {
      this.droppedMaxBytes =
          SettingValidator.intInRange("droppedMaxBytes", bytes, 1 << 20, Integer.MAX_VALUE);
      return this;
    }

    /**
     * Sets the age at which files in {@code dropped/} are deleted, with the records that nothing
     * has taken by then: 1 min to 3,650 days; default 30 days.
     */
    public Builder droppedMaxAge(Duration age) {
      this.droppedMaxAge = SettingValidator.droppedMaxAge("droppedMaxAge", age);
      return this;
    }

    /**
     * Sets a file of certificates in PEM format. Servers with a certificate of these authorities
     * are trusted, besides those that the JVM trusts. It is read when the client is opened.
     * EchoPost's agent trusts them too, in place of those of the operating system.
     */
    public Builder caFile(String file) {
      this.caFile = SettingValidator.caFile("caFile", file);
      return this;
    }

    /**
     * Sets the name of the application, which the records of log handlers carry as {@code
     * service.name}; default none.
     */
    public Builder serviceName(String name) {
      this.serviceName = SettingValidator.notBlank("serviceName", name);
      return this;
    }

    /**
     * Sets the TLS of all connections to servers, for example with a client certificate. Then the
     * authorities in {@link #caFile} are only for EchoPost's agent, which cannot use the context.
     */
    public Builder sslContext(SSLContext context) {
      this.sslContext = Objects.requireNonNull(context);
      return this;
    }

    /**
     * Sets the proxy for all requests: {@code http://user:password@host:3128}, or {@code direct}
     * for none. User and password are percent-encoded; for https servers, the JDK sends them only
     * if the JVM is started with {@code -Djdk.http.auth.tunneling.disabledSchemes=}. By default the
     * proxy is that of the JVM, else that of the environment. EchoPost's agent uses the same one,
     * and reads the password from its environment.
     */
    public Builder proxy(String url) {
      this.proxy = SettingValidator.proxy("proxy", url);
      return this;
    }

    /**
     * Sets the servers that are reached without the proxy of {@link #proxy} or the environment:
     * names, which cover their subdomains, addresses and ranges such as {@code 10.0.0.0/8},
     * separated by commas; {@code *} for all. Default: the environment variable {@code no_proxy}.
     */
    public Builder noProxy(String servers) {
      this.noProxy = Objects.requireNonNull(servers).strip();
      return this;
    }

    /** Sets what decides about each record before it is stored; default nothing. */
    public Builder beforeSend(BeforeSend hook) {
      this.beforeSend = Objects.requireNonNull(hook);
      return this;
    }

    /** Sets what is told of failures; default nothing. */
    public Builder failureListener(FailureListener listener) {
      this.failureListener = Objects.requireNonNull(listener);
      return this;
    }

    /**
     * Leaves the member {@code resource} out of the records of log handlers and of the exporter for
     * OpenTelemetry, which tells the service, host, process and SDK; default false.
     */
    public Builder resourceDisabled(boolean disabled) {
      this.resourceDisabled = disabled;
      return this;
    }

    /**
     * Returns the configuration.
     *
     * @throws ConfigurationException if the API key is missing
     */
    public DataNadhiConfiguration build() {
      return new DataNadhiConfiguration(this);
    }
  }
}
