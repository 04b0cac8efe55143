package com.datanadhi.echopost.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Parses flags by the rules of Go's `flag` package
/// (<https://pkg.go.dev/flag#hdr-Command_line_flag_syntax>), which existing clients rely on: `-x
/// v`, `--x v`, `-x=v` and `--x=v` are the same, a boolean flag takes a value only as `-x=true`,
/// and `--` or the first argument that is not a flag ends the flags. `-help` is `-h`.
public final class Flags {
  /// The result of parsing.
  ///
  /// @param values the value of each flag by its name; if a flag is repeated, its last value
  /// @param rest the arguments after the flags
  public record Parsed(Map<String, String> values, List<String> rest) {
    /// Whether a boolean flag is on.
    public boolean isOn(String name) {
      return "true".equals(values.get(name));
    }
  }

  private Flags() {}

  /// Parses flags up to the first argument that is not a flag.
  ///
  /// @throws UsageException if a flag is not `known`, or its value is missing or invalid
  public static Parsed parse(List<Flag> known, List<String> args) throws UsageException {
    Map<String, String> values = new HashMap<>();
    int i = 0;
    while (i < args.size()) {
      String arg = args.get(i);
      if (arg.length() < 2 || arg.charAt(0) != '-') {
        break;
      }
      i++;
      if (arg.equals("--")) {
        break;
      }
      String body = arg.substring(arg.charAt(1) == '-' ? 2 : 1);
      int equals = body.indexOf('=');
      String name = equals < 0 ? body : body.substring(0, equals);
      if (name.isEmpty() || name.startsWith("-")) {
        throw new UsageException("invalid flag '" + arg + "': -h lists the flags");
      }
      Flag flag = find(known, name.equals("help") ? "h" : name);
      if (flag == null) {
        throw new UsageException("unknown flag -" + name + ": -h lists the flags");
      }
      String value;
      if (equals >= 0) {
        value = body.substring(equals + 1);
      } else if (flag.placeholder() == null) {
        value = "true";
      } else if (i < args.size()) {
        value = args.get(i++);
      } else {
        throw new UsageException("flag -" + name + " needs a value: write " + flag.synopsis());
      }
      values.put(flag.name(), flag.placeholder() == null ? booleanValue(name, value) : value);
    }
    return new Parsed(values, args.subList(i, args.size()));
  }

  private static @Nullable Flag find(List<Flag> known, String name) {
    for (Flag flag : known) {
      if (flag.name().equals(name)) {
        return flag;
      }
    }
    return null;
  }

  private static String booleanValue(String name, String value) throws UsageException {
    return switch (value) {
      case "1", "t", "T", "true", "TRUE", "True" -> "true";
      case "0", "f", "F", "false", "FALSE", "False" -> "false";
      default ->
          throw new UsageException(
              "flag -" + name + " is boolean: write -" + name + " or -" + name + "=false");
    };
  }
}
