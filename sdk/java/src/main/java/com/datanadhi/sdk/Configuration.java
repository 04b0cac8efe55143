package com.datanadhi.sdk;

import com.datanadhi.sdk.internal.config.ConfigurationFile;
import com.datanadhi.sdk.internal.config.SettingValidator;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * How a client works. Immutable; made by {@link #load} from the directory's {@code config.yml} and
 * the environment, or by {@link #builder} in code.
 */
public final class Configuration {
  private final Path directory;
  private final String apiKey;
  private final URI serverHost;
  private final URI fallbackHost;
  private final boolean echoPostDisabled;
  private final URI downloadUrl;
  private final int queueSize;
  private final int workers;
  private final Duration exitTimeout;

  private Configuration(Builder builder) {
    this.directory = builder.directory;
    this.apiKey = SettingValidator.apiKey(builder.apiKey);
    this.serverHost = builder.serverHost;
    this.fallbackHost = builder.fallbackHost;
    this.echoPostDisabled = builder.echoPostDisabled;
    this.downloadUrl = builder.downloadUrl;
    this.queueSize = builder.queueSize;
    this.workers = builder.workers;
    this.exitTimeout = builder.exitTimeout;
  }

  /**
   * Reads {@code config.yml} (or {@code .yaml}) in {@code directory}; what it does not say comes
   * from the environment, and else is the default. The key comes from {@code DATANADHI_API_KEY}
   * alone.
   *
   * @throws ConfigurationException for a value that cannot be used, or when there is no key
   */
  public static Configuration load(Path directory) {
    return load(directory, System.getenv());
  }

  /** As {@link #load(Path)}, with another environment. */
  public static Configuration load(Path directory, Map<String, String> environment) {
    return ConfigurationFile.read(directory, environment).build();
  }

  /** Every setting at its default but the key, which must be given. */
  public static Builder builder(Path directory) {
    return new Builder(directory);
  }

  /** Where the configuration, EchoPost and undelivered records live; absolute. */
  public Path directory() {
    return directory;
  }

  /** Sent with every record. In no log, and in no file of the SDK's. */
  public String apiKey() {
    return apiKey;
  }

  /** The main server, without a slash at its end. */
  public URI serverHost() {
    return serverHost;
  }

  /** The fallback server, without a slash at its end. */
  public URI fallbackHost() {
    return fallbackHost;
  }

  /** Whether EchoPost is never to be used. */
  public boolean echoPostDisabled() {
    return echoPostDisabled;
  }

  /** Where EchoPost is downloaded from; {@code /{os}/{arch}/echopost-latest} is added. */
  public URI downloadUrl() {
    return downloadUrl;
  }

  /** How many records may wait in memory. */
  public int queueSize() {
    return queueSize;
  }

  /** How many threads deliver. With one, the order of {@code submit} holds on each way. */
  public int workers() {
    return workers;
  }

  /** How long the end of the process waits for records to be delivered. */
  public Duration exitTimeout() {
    return exitTimeout;
  }

  /** Everything but the key. */
  @Override
  public String toString() {
    return "Configuration[directory=%s, serverHost=%s, fallbackHost=%s, echoPostDisabled=%s, queueSize=%d, workers=%d, exitTimeout=%s]"
        .formatted(
            directory, serverHost, fallbackHost, echoPostDisabled, queueSize, workers, exitTimeout);
  }

  /** Collects settings; each is checked when it is given. Not for use by two threads at once. */
  public static final class Builder {
    private final Path directory;
    private String apiKey = "";
    private URI serverHost = URI.create("http://data-nadhi-server:5000");
    private URI fallbackHost = URI.create("http://datanadhi-fallback-server:5001");
    private boolean echoPostDisabled;
    private URI downloadUrl = URI.create("https://downloads.datanadhi.com/echopost");
    private int queueSize = 1000;
    private int workers = 2;
    private Duration exitTimeout = Duration.ofSeconds(5);

    private Builder(Path directory) {
      this.directory = directory.toAbsolutePath().normalize();
    }

    /** The key, which must be given. */
    public Builder apiKey(String apiKey) {
      this.apiKey = SettingValidator.apiKey(apiKey);
      return this;
    }

    /** Default {@code http://data-nadhi-server:5000}. */
    public Builder serverHost(String url) {
      this.serverHost = SettingValidator.url("serverHost", url);
      return this;
    }

    /** Default {@code http://datanadhi-fallback-server:5001}. */
    public Builder fallbackHost(String url) {
      this.fallbackHost = SettingValidator.url("fallbackHost", url);
      return this;
    }

    /** Default false. */
    public Builder echoPostDisabled(boolean disabled) {
      this.echoPostDisabled = disabled;
      return this;
    }

    /** Default {@code https://downloads.datanadhi.com/echopost}. */
    public Builder downloadUrl(String url) {
      this.downloadUrl = SettingValidator.url("downloadUrl", url);
      return this;
    }

    /** 10 to 1,000,000; default 1,000. */
    public Builder queueSize(int records) {
      this.queueSize = SettingValidator.within("queueSize", records, 10, 1_000_000);
      return this;
    }

    /** 1 to 64; default 2. */
    public Builder workers(int threads) {
      this.workers = SettingValidator.within("workers", threads, 1, 64);
      return this;
    }

    /** 0 s to 10 min; default 5 s. */
    public Builder exitTimeout(Duration timeout) {
      this.exitTimeout = SettingValidator.exitTimeout("exitTimeout", timeout);
      return this;
    }

    /**
     * The finished configuration.
     *
     * @throws ConfigurationException when there is no key
     */
    public Configuration build() {
      return new Configuration(this);
    }
  }
}
