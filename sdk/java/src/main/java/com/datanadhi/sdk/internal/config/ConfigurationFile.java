package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.ConfigurationException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
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
 * The settings in {@code config.yml} of a directory. SDKs for other languages can share the
 * directory, so keys that this SDK does not know are ignored. Immutable.
 */
public final class ConfigurationFile {
  private static final List<String> NAMES = List.of("config.yml", "config.yaml");

  private final String file;
  private final Map<?, ?> settings;

  private ConfigurationFile(String file, Map<?, ?> settings) {
    this.file = file;
    this.settings = settings;
  }

  /**
   * Reads {@code config.yml}, or else {@code config.yaml}; without either there are no settings.
   *
   * @throws ConfigurationException if the file cannot be read or is not a YAML mapping
   */
  public static ConfigurationFile read(Path directory) {
    for (String name : NAMES) {
      Path path = directory.toAbsolutePath().resolve(name);
      if (Files.exists(path)) {
        return new ConfigurationFile(path.toString(), parse(path));
      }
    }
    return new ConfigurationFile("", Map.of());
  }

  /** The settings under {@code log}, which only other SDKs use, by the names in their files. */
  Map<String, Object> logSettings() {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("log_level", valueOrDefault("log.level", "INFO"));
    found.put("stack_level", valueOrDefault("log.stack_level", 0));
    found.put("skip_stack", valueOrDefault("log.skip_stack", 0));
    found.put("datanadhi_log_level", valueOrDefault("log.datanadhi_log_level", "INFO"));
    return found;
  }

  /**
   * Passes the value of a setting to {@code setter}: from this file, or else from the environment.
   * If neither has one, the setter is not called.
   *
   * @param key the path of the setting in the file, with dots between the names
   * @param variable the environment variable; null if there is none for this setting
   * @throws ConfigurationException if the setter throws one; the message then names the file and
   *     key, or the variable, in place of the part before the first colon
   */
  public void apply(
      String key,
      @Nullable String variable,
      Map<String, String> environment,
      Consumer<Value> setter) {
    Object value = value(key);
    String source = file + ": " + key;
    if (value == null && variable != null) {
      value = environment.get(variable);
      source = "environment: " + variable;
    }
    if (value == null) {
      return;
    }
    try {
      setter.accept(new Value(value));
    } catch (ConfigurationException invalid) {
      String message = String.valueOf(invalid.getMessage());
      throw new ConfigurationException(source + message.substring(message.indexOf(':')));
    }
  }

  private Object valueOrDefault(String key, Object defaultValue) {
    Object value = value(key);
    return value == null ? defaultValue : value;
  }

  private @Nullable Object value(String key) {
    Object node = settings;
    for (String part : key.split("\\.", -1)) {
      if (!(node instanceof Map<?, ?> map)) {
        return null;
      }
      node = map.get(part);
    }
    return node;
  }

  private static Map<?, ?> parse(Path path) {
    // A channel, as of Files, would be closed if this thread is interrupted: the thread of an
    // asynchronous appender is, when the appender is stopped.
    try (Reader reader =
        new InputStreamReader(
            new FileInputStream(path.toFile()), StandardCharsets.UTF_8.newDecoder())) {
      Object content = new Yaml(new SafeConstructor(new LoaderOptions())).load(reader);
      if (content == null) {
        return Map.of();
      }
      if (content instanceof Map<?, ?> map) {
        return map;
      }
      throw new ConfigurationException(
          path + ": the file has no keys: write settings as key: value");
    } catch (YAMLException notYaml) {
      throw new ConfigurationException(path + ": not valid YAML: " + notYaml.getMessage());
    } catch (IOException unreadable) {
      throw new ConfigurationException(path + ": cannot be read: " + unreadable);
    }
  }

  /** A value from YAML or from the environment, which the methods convert. */
  public record Value(Object raw) {
    /** The value as text. */
    public String text() {
      return raw.toString();
    }

    /** True or false, in upper or lower case. */
    public boolean flag() {
      return switch (raw.toString().toLowerCase(Locale.ROOT)) {
        case "true" -> true;
        case "false" -> false;
        default -> throw new ConfigurationException(": \"" + raw + "\" is not true or false");
      };
    }

    /** A whole number. */
    public int number() {
      try {
        return Integer.parseInt(raw.toString().strip());
      } catch (NumberFormatException notANumber) {
        throw new ConfigurationException(": \"" + raw + "\" is not a whole number");
      }
    }

    /** A number of seconds, with or without a fraction. */
    public Duration seconds() {
      try {
        return Duration.ofMillis(Math.round(Double.parseDouble(raw.toString().strip()) * 1000));
      } catch (NumberFormatException notANumber) {
        throw new ConfigurationException(": \"" + raw + "\" is not a number of seconds");
      }
    }
  }
}
