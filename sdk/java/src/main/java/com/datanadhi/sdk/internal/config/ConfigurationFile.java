package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.Configuration;
import com.datanadhi.sdk.ConfigurationException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * Settings from {@code config.yml} in a directory, then the environment. The directory may be
 * shared with SDKs for other languages: keys that are not ours are theirs.
 */
public final class ConfigurationFile {
  private static final List<String> NAMES = List.of("config.yml", "config.yaml");

  private final String source;
  private final Map<?, ?> settings;
  private final Map<String, String> environment;

  private ConfigurationFile(String source, Map<?, ?> settings, Map<String, String> environment) {
    this.source = source;
    this.settings = settings;
    this.environment = environment;
  }

  /**
   * All that the file and {@code environment} say.
   *
   * @throws ConfigurationException for the first value that cannot be used
   */
  public static Configuration.Builder read(Path directory, Map<String, String> environment) {
    return open(directory, environment).builder(directory);
  }

  /** The settings under {@code log}, which are other SDKs', by the names that those give them. */
  static Map<String, Object> logSettings(Path directory) {
    ConfigurationFile file = open(directory, Map.of());
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("log_level", file.inFile("log.level", "INFO"));
    found.put("stack_level", file.inFile("log.stack_level", 0));
    found.put("skip_stack", file.inFile("log.skip_stack", 0));
    found.put("datanadhi_log_level", file.inFile("log.datanadhi_log_level", "INFO"));
    return found;
  }

  private static ConfigurationFile open(Path directory, Map<String, String> environment) {
    for (String name : NAMES) {
      Path path = directory.toAbsolutePath().resolve(name);
      if (Files.exists(path)) {
        return new ConfigurationFile(path.toString(), parse(path), environment);
      }
    }
    return new ConfigurationFile("", Map.of(), environment);
  }

  private Configuration.Builder builder(Path directory) {
    Configuration.Builder builder = Configuration.builder(directory);
    builder.apiKey(environment.getOrDefault("DATANADHI_API_KEY", ""));
    set("server.host", "DATANADHI_SERVER_HOST", v -> builder.serverHost(v.text()));
    set(
        "server.fallback_host",
        "DATANADHI_FALLBACK_SERVER_HOST",
        v -> builder.fallbackHost(v.text()));
    set("echopost.disable", null, v -> builder.echoPostDisabled(v.flag()));
    set(
        "echopost.download_url",
        "DATANADHI_ECHOPOST_DOWNLOAD_URL",
        v -> builder.downloadUrl(v.text()));
    set("async.queue_size", "DATANADHI_QUEUE_SIZE", v -> builder.queueSize(v.number()));
    set("async.workers", "DATANADHI_WORKERS", v -> builder.workers(v.number()));
    set("async.exit_timeout", "DATANADHI_EXIT_TIMEOUT", v -> builder.exitTimeout(v.seconds()));
    return builder;
  }

  private void set(String key, @Nullable String variable, Consumer<Value> setting) {
    Object value = inFile(key);
    String where = source + ": " + key;
    if (value == null && variable != null) {
      value = environment.get(variable);
      where = "environment: " + variable;
    }
    if (value == null) {
      return;
    }
    try {
      setting.accept(new Value(value));
    } catch (ConfigurationException bad) {
      // The builder names the setting by its own name, the reader knows it by another.
      String said = String.valueOf(bad.getMessage());
      throw new ConfigurationException(where + said.substring(said.indexOf(':')));
    }
  }

  private Object inFile(String key, Object otherwise) {
    Object value = inFile(key);
    return value == null ? otherwise : value;
  }

  private @Nullable Object inFile(String key) {
    Object at = settings;
    for (String part : key.split("\\.", -1)) {
      if (!(at instanceof Map<?, ?> map)) {
        return null;
      }
      at = map.get(part);
    }
    return at;
  }

  private static Map<?, ?> parse(Path path) {
    try (Reader reader = Files.newBufferedReader(path)) {
      Object content = new Yaml(new SafeConstructor(new LoaderOptions())).load(reader);
      if (content == null) {
        return Map.of();
      }
      if (content instanceof Map<?, ?> map) {
        return map;
      }
      throw new ConfigurationException(path + ": there are no keys in it");
    } catch (YAMLException notYaml) {
      throw new ConfigurationException(path + ": is no YAML: " + notYaml.getMessage());
    } catch (IOException unreadable) {
      throw new ConfigurationException(path + ": cannot be read: " + unreadable);
    }
  }

  /** A value as YAML or the environment has it. */
  private record Value(Object raw) {
    String text() {
      return raw.toString();
    }

    boolean flag() {
      return switch (raw.toString().toLowerCase(Locale.ROOT)) {
        case "true" -> true;
        case "false" -> false;
        default -> throw new ConfigurationException(": \"" + raw + "\" is neither true nor false");
      };
    }

    int number() {
      try {
        return Integer.parseInt(raw.toString().strip());
      } catch (NumberFormatException notOne) {
        throw new ConfigurationException(": \"" + raw + "\" is no whole number");
      }
    }

    Duration seconds() {
      try {
        return Duration.ofMillis(Math.round(Double.parseDouble(raw.toString().strip()) * 1000));
      } catch (NumberFormatException notOne) {
        throw new ConfigurationException(": \"" + raw + "\" is no number of seconds");
      }
    }
  }
}
