package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.ConfigurationException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** The settings in {@code config.yml} of a directory. Immutable. */
public final class ConfigurationFile {
  private static final List<String> NAMES = List.of("config.yml", "config.yaml");

  /** Settings of SDKs for other languages, which can share the directory. */
  private static final Set<String> OF_OTHER_SDKS =
      Set.of("log.level", "log.stack_level", "log.skip_stack", "log.datanadhi_log_level");

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
    return none();
  }

  /** No file, which has no settings. */
  static ConfigurationFile none() {
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
   * Checks that the file has no other settings than {@code known} and those of other SDKs.
   *
   * @throws ConfigurationException if it has
   */
  void requireKnown(Set<String> known) {
    requireKnown("", settings, known);
  }

  private void requireKnown(String prefix, Map<?, ?> settings, Set<String> known) {
    settings.forEach((name, value) -> {
      String key = prefix + name;
      if (known.contains(key) || OF_OTHER_SDKS.contains(key)) {
        return;
      }
      boolean isGroup =
          Stream.concat(known.stream(), OF_OTHER_SDKS.stream())
              .anyMatch(setting -> setting.startsWith(key + "."));
      if (isGroup && value instanceof Map<?, ?> group) {
        requireKnown(key + ".", group, known);
      } else if (!isGroup || value != null) {
        throw new ConfigurationException(
            file
                + ": "
                + key
                + " is not a setting: correct its name or remove it. The settings are "
                + String.join(", ", new TreeSet<>(known)));
      }
    });
  }

  /** The value of a setting in the file, if it is there. */
  Optional<Object> find(String key) {
    return Optional.ofNullable(value(key));
  }

  /** Where a setting in the file comes from, for people. */
  String source(String key) {
    return file + ": " + key;
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
    try (Reader reader = Files.newBufferedReader(path)) {
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
}
